// A thread that was held up by its memory goes on with its CPU clock: it has what it used before and after, and nothing of the wait.
#include "../sched/uffd.h"
#include "cpu.h"

static char *page;
static int64_t used;
static clockid_t other;

static void *touches(void *unused)
{
    (void)unused;
    compute_ms(10);
    int64_t before = my_cpu();
    ASSERT_EQ(*(volatile char *)page, 'x');
    ASSERT_GE(my_cpu(), before);
    ASSERT_LT(my_cpu(), before + 10 * NS_PER_MS);
    compute_ms(30);
    used = my_cpu();
    return NULL;
}

int main(void)
{
    page = uffd_page();
    pthread_t thread = spawn(touches, NULL);
    other = clock_of(thread);
    uffd_wait();
    // Long enough for another OS thread to carry on here.
    for (int i = 0; i < 10; i++) {
        ASSERT_GE(now_ns(other), 10 * NS_PER_MS);
        sleep_ms(5);
    }
    compute_ms(10);
    uffd_fill(page, 'x');
    join(thread);
    ASSERT_GE(used, 40 * NS_PER_MS);
    ASSERT_LE(used + my_cpu(), now_ns(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}
