// Where there is no room for what signals have to tell (RLIMIT_SIGPENDING, which all processes of a user share), threads that compute
// take turns all the same, calls are interrupted, credentials change, and a signal from another process comes.
#include "coop-test.h"
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

static _Atomic int turn, waits;
static volatile sig_atomic_t handled;
static int lock_file;

static void handler(int number)
{
    handled = number;
}

static void *computes(void *number)
{
    // Each waits for the one before it, and makes no call: on one hub they must be preempted.
    for (int round = 0; round < 3; round++) {
        while (turn % 3 != (int)(intptr_t)number) __asm__ volatile("pause");
        turn++;
    }
    return NULL;
}

static void *waits_for_lock(void *unused)
{
    int other = SYS(open("locked", O_RDWR));
    waits = 1;
    FAILS(flock(other, LOCK_EX), EINTR);
    SYS(close(other));
    return unused;
}

int main(void)
{
    struct rlimit none = {0, 0};
    char name[] = "/tmp/coop-test-XXXXXX";
    SYS(setrlimit(RLIMIT_SIGPENDING, &none));
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGSEGV, handler, 0);

    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = spawn(computes, (void *)(intptr_t)i);
    for (int i = 0; i < 3; i++) join(threads[i]);
    ASSERT_EQ(turn, 9);
    SYS(setgid(getgid()));

    SYS(mkdtemp(name) ? 0 : -1);
    SYS(chdir(name));
    lock_file = SYS(open("locked", O_RDWR | O_CREAT, 0600));
    SYS(flock(lock_file, LOCK_EX));
    pthread_t waiter = spawn(waits_for_lock, NULL);
    UNTIL(waits);
    // Until it was in its call when the signal came.
    while (pthread_tryjoin_np(waiter, NULL) != 0) {
        OK(pthread_kill(waiter, SIGUSR1));
        SYS(usleep(1000));
    }
    ASSERT_EQ(handled, SIGUSR1);
    SYS(unlink("locked"));
    SYS(rmdir(name));

    pid_t child = SYS(fork());
    if (child == 0) _exit(kill(getppid(), SIGSEGV) == 0 ? 0 : 1);
    UNTIL(handled == SIGSEGV);
    int status;
    pid_t ended;
    do ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    ASSERT_EQ(ended, child);
    ASSERT_EQ(status, 0);
    return 0;
}
