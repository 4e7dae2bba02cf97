// SIGSTOP stops a process whose threads compute and wait, SIGCONT lets them all go on, and its parent is told of both.
#include "coop-test.h"
#include <sys/mman.h>

static _Atomic long *counter;
static _Atomic int *finished;

static void *compute(void *unused)
{
    while (!*finished) ++*counter;
    return unused;
}

static void *sleeper(void *unused)
{
    while (!*finished) sleep_ms(1);
    return unused;
}

int main(void)
{
    void *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(shared != MAP_FAILED);
    counter = shared;
    finished = (_Atomic int *)((char *)shared + 64);
    pid_t child = SYS(fork());
    if (child == 0) {
        pthread_t threads[3] = {spawn(compute, NULL), spawn(sleeper, NULL), spawn(sleeper, NULL)};
        for (int i = 0; i < 3; i++) join(threads[i]);
        _exit(6);
    }
    // The parent has threads, too, and waits as a task.
    pthread_t other = spawn(pause_for_ever, NULL);
    int status;
    UNTIL(*counter > 1000);
    for (int i = 0; i < 3; i++) {
        SYS(kill(child, SIGSTOP));
        ASSERT_EQ(SYS(waitpid(child, &status, WUNTRACED)), child);
        ASSERT(WIFSTOPPED(status));
        ASSERT_EQ(WSTOPSIG(status), SIGSTOP);
        long before = *counter;
        sleep_ms(10);
        ASSERT_EQ(*counter, before);
        SYS(kill(child, SIGCONT));
        ASSERT_EQ(SYS(waitpid(child, &status, WCONTINUED)), child);
        ASSERT(WIFCONTINUED(status));
        UNTIL(*counter > before);
    }
    *finished = 1;
    ASSERT_EQ(finish(child), 6);
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
