// pthread_kill runs the handler in the thread it names, on its stack, whatever that waits in; main included.
#include "coop-test.h"

#define THREADS 10

static __thread _Atomic int handled;
static _Atomic int total;
static _Atomic int *counts[THREADS];
static pthread_t threads[THREADS], main_thread;
static sem_t ready;
static int ends[2];

static void handler(int number)
{
    ASSERT_EQ(number, SIGUSR1);
    handled++;
    total++;
}

static void *body(void *argument)
{
    char byte;
    counts[(intptr_t)argument] = &handled;
    SYS(sem_post(&ready));
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return NULL;
}

static void *killer(void *unused)
{
    (void)unused;
    for (int i = 0; i < THREADS; i++) OK(pthread_kill(threads[i], SIGUSR1));
    OK(pthread_kill(main_thread, SIGUSR1));
    return NULL;
}

int main(void)
{
    SYS(sem_init(&ready, 0, 0));
    SYS(pipe(ends));
    main_thread = pthread_self();
    on_signal(SIGUSR1, handler, SA_RESTART);
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < THREADS; i++)
        while (sem_wait(&ready) == -1) continue;
    for (int round = 1; round <= 3; round++) {
        join(spawn(killer, NULL));
        UNTIL(total == round * (THREADS + 1));
        for (int i = 0; i < THREADS; i++) ASSERT_EQ(*counts[i], round);
        ASSERT_EQ(handled, round);
    }
    OK(pthread_kill(threads[0], 0));
    GIVES(pthread_kill(threads[0], 1000), EINVAL);
    for (int i = 0; i < THREADS; i++) SYS(write(ends[1], "x", 1));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
