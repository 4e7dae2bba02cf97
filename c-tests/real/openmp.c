// OpenMP's constructs, each with a result that does not depend on the order of threads.
#include <omp.h>
#include <stdio.h>

static long fibonacci(int n)
{
    if (n < 2)
        return n;
    long a, b;
#pragma omp task shared(a) if (n > 12)
    a = fibonacci(n - 1);
#pragma omp task shared(b) if (n > 12)
    b = fibonacci(n - 2);
#pragma omp taskwait
    return a + b;
}

static long loops(void)
{
    long total = 0;
    for (int round = 0; round < 200; round++) {
#pragma omp parallel for schedule(dynamic, 16) reduction(+ : total)
        for (int i = 0; i < 1000; i++)
            total += (long)i * (round + 1);
    }
    return total;
}

static int ordered(void)
{
    int last = -1, in_order = 1;
#pragma omp parallel for ordered schedule(static, 1)
    for (int i = 0; i < 100; i++) {
#pragma omp ordered
        {
            in_order &= i == last + 1;
            last = i;
        }
    }
    return in_order;
}

static long locked(void)
{
    long plain = 0, atomic = 0, critical = 0;
    omp_lock_t lock;
    omp_init_lock(&lock);
#pragma omp parallel
    {
        for (int i = 0; i < 1000; i++) {
            omp_set_lock(&lock);
            plain++;
            omp_unset_lock(&lock);
#pragma omp atomic
            atomic++;
#pragma omp critical
            critical++;
        }
    }
    omp_destroy_lock(&lock);
    return plain == atomic && atomic == critical ? plain : -1;
}

// Each phase reads what the neighbour wrote in the phase before: a barrier that lets one through early shows.
static int phases(void)
{
    enum { ROUNDS = 200, MOST = 64 };
    static int cell[2][MOST];
    int wrong = 0;
#pragma omp parallel reduction(+ : wrong)
    {
        int me = omp_get_thread_num(), all = omp_get_num_threads();
        for (int round = 1; round <= ROUNDS; round++) {
            cell[round & 1][me] = round;
#pragma omp barrier
            wrong += cell[round & 1][(me + 1) % all] != round;
        }
    }
    return wrong;
}

static int sections(void)
{
    int a = 0, b = 0, c = 0, once = 0;
#pragma omp parallel
    {
#pragma omp sections
        {
#pragma omp section
            a = 1;
#pragma omp section
            b = 2;
#pragma omp section
            c = 4;
        }
#pragma omp single
        once++;
    }
    return a + b + c + 8 * once;
}

int main(void)
{
    long numbers = 0;
    int threads = 0;
#pragma omp parallel reduction(+ : numbers)
    {
        numbers += omp_get_thread_num();
#pragma omp single
        threads = omp_get_num_threads();
    }
    printf("threads %d, their numbers add up to %ld\n", threads, numbers);
    printf("loops %ld\n", loops());
    printf("ordered %d\n", ordered());
    printf("locked %ld\n", locked());
    printf("early at a barrier %d\n", phases());
    printf("sections %d\n", sections());
    long result = 0;
#pragma omp parallel
#pragma omp single
    result = fibonacci(22);
    printf("tasks %ld\n", result);
    return 0;
}
