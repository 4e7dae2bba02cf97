// A thread with something of its own sleeps, waits for children of all kinds, and for timers, as any other.
#include "own.h"
#include <sys/timerfd.h>

static void on_child(int signal)
{
    (void)signal;
}

static pid_t child_that_exits(int status, int after_ms)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        sleep_ms(after_ms);
        _exit(status);
    }
    return child;
}

static void *waits(void *argument)
{
    int status;
    siginfo_t info;
    uint64_t ticks;
    SYS(prctl(PR_SET_TIMERSLACK, 71000, 0, 0, 0));
    int64_t start = now_ns(CLOCK_MONOTONIC);
    sleep_ms(20);
    ASSERT_GE(ms_since(start), 20);
    for (int i = 0; i < 5; i++) {
        pid_t child = child_that_exits(i, 3);
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_EQ(WEXITSTATUS(status), i);
        child = child_that_exits(i, 3);
        ASSERT_EQ(waitid(P_PID, child, &info, WEXITED), 0);
        ASSERT_EQ(info.si_status, i);
    }
    int timer = SYS(timerfd_create(CLOCK_MONOTONIC, 0));
    struct itimerspec every = {{0, 5000000}, {0, 5000000}};
    SYS(timerfd_settime(timer, 0, &every, NULL));
    for (int i = 0; i < 5; i++) ASSERT_EQ(read(timer, &ticks, 8), 8);
    SYS(close(timer));
    struct timespec deadline = in_ms(CLOCK_REALTIME, 20);
    sem_t never;
    sem_init(&never, 0, 0);
    while (sem_timedwait(&never, &deadline) != 0 && errno == EINTR) {}
    ASSERT_EQ(errno, ETIMEDOUT);
    return argument;
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
    SYS(sigaction(SIGCHLD, &action, NULL));
    pthread_t a = spawn(waits, NULL), b = spawn(waits, NULL);
    join(a);
    join(b);
    return 0;
}
