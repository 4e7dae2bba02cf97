// A thread in exec is the only one that does not block signals, as far as the kernel knows: SIGCHLD comes to it, and is dropped there where the
// program does not handle it. Who waits for a child hears of its end all the same; of a stop and its end, too.
#include "making.h"

enum { CHILDREN = 400, STOPS = 50 };

static int over;

static void *fails_to_exec(void *alone)
{
    if (alone) SYS(unshare(CLONE_FS));
    while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) becomes_nothing();
    return NULL;
}

static void waits_for_any(void)
{
    pid_t child = SYS(fork());
    if (child == 0) _exit(7);
    int status;
    ASSERT_EQ(SYS(wait(&status)), child);
    ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void waits_for_stops(void)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        raise(SIGSTOP);
        for (;;) pause();
    }
    int status;
    ASSERT_EQ(SYS(waitpid(child, &status, WUNTRACED)), child);
    ASSERT(WIFSTOPPED(status));
    SYS(kill(child, SIGCONT));
    ASSERT_EQ(SYS(waitpid(child, &status, WCONTINUED)), child);
    ASSERT(WIFCONTINUED(status));
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(SYS(wait(&status)), child);
    ASSERT(WIFSIGNALED(status));
}

int main(void)
{
    pthread_t threads[] = {spawn(fails_to_exec, NULL), spawn(fails_to_exec, threads)};
    for (int i = 0; i < CHILDREN; i++) i % 2 ? waits_for_any() : forks();
    for (int i = 0; i < STOPS; i++) waits_for_stops();
    __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 2; i++) join(threads[i]);
    return 0;
}
