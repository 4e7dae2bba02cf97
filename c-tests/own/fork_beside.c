// fork by a plain thread, and by one with something of its own, while others with something of their own wait, compute and fork: the children are
// whole, and make such threads themselves.
// timeout: 60
#include "own.h"

static volatile int stop;
static int pipes[2];
static sem_t semaphore;

static void own(long slack)
{
    SYS(prctl(PR_SET_TIMERSLACK, slack, 0, 0, 0));
    ASSERT_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), slack);
}

static void *reads(void *unused)
{
    char byte;
    own(71000);
    ASSERT_EQ(read(pipes[0], &byte, 1), 1);
    return unused;
}

static void *waits(void *unused)
{
    own(72000);
    while (sem_wait(&semaphore) != 0) {}
    return unused;
}

static void *computes(void *unused)
{
    own(73000);
    while (!stop) {
        for (volatile int n = 0; n < 10000; n++) {}
        sched_yield();
    }
    return unused;
}

static void *in_child(void *unused)
{
    own(74000);
    sleep_ms(1);
    return unused;
}

static void *plain(void *unused)
{
    ASSERT_NE(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 74000);
    return unused;
}

static void *forks(void *with)
{
    if (with) own(75000);
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t child = SYS(fork());
        if (child == 0) {
            alarm(20);
            if (with) ASSERT_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 75000);
            for (int j = 0; j < 3; j++) {
                pthread_t a = spawn(in_child, NULL), b = spawn(plain, NULL);
                join(a);
                join(b);
            }
            _exit(7);
        }
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT(WIFEXITED(status));
        ASSERT_EQ(WEXITSTATUS(status), 7);
    }
    return NULL;
}

int main(void)
{
    SYS(pipe(pipes));
    sem_init(&semaphore, 0, 0);
    pthread_t others[] = {spawn(reads, NULL), spawn(waits, NULL), spawn(computes, NULL)};
    pthread_t a = spawn(forks, NULL), b = spawn(forks, (void *)1);
    join(a);
    join(b);
    stop = 1;
    write_all(pipes[1], "x", 1);
    sem_post(&semaphore);
    for (int i = 0; i < 3; i++) join(others[i]);
    return 0;
}
