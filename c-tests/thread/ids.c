// Every live thread has a thread id of its own, stable over waits; the process id and parent are the same in all.
#include "coop-test.h"

#define THREADS 200

static pid_t ids[THREADS];
static pthread_t selves[THREADS];
static pthread_barrier_t all;

static void *body(void *argument)
{
    intptr_t i = (intptr_t)argument;
    ids[i] = my_tid();
    selves[i] = pthread_self();
    ASSERT_EQ(gettid(), ids[i]);
    pthread_barrier_wait(&all);
    sleep_ms(1);
    ASSERT_EQ(my_tid(), ids[i]);
    ASSERT_EQ(pthread_self(), selves[i]);
    return (void *)(intptr_t)(getpid() * 2 + getppid());
}

static int by_value(const void *a, const void *b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    pthread_t threads[THREADS];
    ASSERT_EQ(my_tid(), getpid());
    OK(pthread_barrier_init(&all, NULL, THREADS + 1));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn_small(body, (void *)i);
    pthread_barrier_wait(&all);
    for (int i = 0; i < THREADS; i++) {
        ASSERT_EQ(selves[i], threads[i]);
        ASSERT_EQ((intptr_t)join(threads[i]), getpid() * 2 + getppid());
    }
    qsort(ids, THREADS, sizeof ids[0], by_value);
    for (int i = 0; i < THREADS; i++) {
        ASSERT_GT(ids[i], 0);
        ASSERT_NE(ids[i], getpid());
        if (i) ASSERT_NE(ids[i], ids[i - 1]);
    }
    ASSERT_EQ(my_tid(), getpid());
    return 0;
}
