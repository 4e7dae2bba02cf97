// A wait for children of all kinds (__WALL) whose child ends soon gives its status, and not EINTR for the handler of the signal that it sent.
#include "coop-test.h"
#include <sys/wait.h>

enum { ROUNDS = 100, BUSY = 3 };
static volatile int handled, over;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *waits(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        int status;
        pid_t pid = SYS(syscall(SYS_clone, SIGUSR2, NULL, NULL, NULL, NULL));
        if (pid == 0) {
            // Before the wait begins, while it does, or after.
            for (volatile int n = i % 50 * 4000; n > 0; n--) continue;
            _exit(7);
        }
        ASSERT_EQ(SYS(waitpid(pid, &status, __WALL)), pid);
        ASSERT_EQ(WEXITSTATUS(status), 7);
        UNTIL(handled == i + 1);
    }
    return unused;
}

static void *computes(void *unused)
{
    while (!over) continue;
    return unused;
}

int main(void)
{
    pthread_t busy[BUSY];
    on_signal(SIGUSR2, handler, 0);
    pthread_t thread = spawn(waits, NULL);
    sigset_t set = signal_set(SIGUSR2);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    for (int i = 0; i < BUSY; i++) busy[i] = spawn(computes, NULL);
    join(thread);
    over = 1;
    for (int i = 0; i < BUSY; i++) join(busy[i]);
    return 0;
}
