// The child of a process with threads makes threads of its own, which wait on each other; so does the grandchild.
#include "coop-test.h"

static sem_t ping, pong;

static void *echo(void *unused)
{
    (void)unused;
    for (int i = 0; i < 100; i++) {
        SYS(sem_wait(&ping));
        SYS(sem_post(&pong));
    }
    return NULL;
}

static void play(void)
{
    SYS(sem_init(&ping, 0, 0));
    SYS(sem_init(&pong, 0, 0));
    pthread_t thread = spawn(echo, NULL);
    for (int i = 0; i < 100; i++) {
        SYS(sem_post(&ping));
        SYS(sem_wait(&pong));
    }
    sleep_ms(2);
    join(thread);
}

static void *generation(void *argument)
{
    intptr_t depth = (intptr_t)argument;
    play();
    if (depth == 0) return NULL;
    pid_t child = SYS(fork());
    if (child == 0) {
        // Once from a thread of the child, once from the forking thread itself.
        if (depth % 2) join(spawn(generation, (void *)(depth - 1)));
        else generation((void *)(depth - 1));
        _exit((int)depth);
    }
    ASSERT_EQ(finish(child), depth);
    return NULL;
}

int main(void)
{
    join(spawn(generation, (void *)3));
    generation((void *)2);
    return 0;
}
