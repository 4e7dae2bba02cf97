// F_SETOWN_EX with F_OWNER_TID: the signal goes to that thread, plain and with F_SETSIG; F_GETOWN_EX tells its id.
#include "coop-test.h"

static int pair[2];
static __thread volatile int plain, queued;
static _Atomic pid_t owner;
static _Atomic int handled, stop;

static void on_io(int number)
{
    ASSERT_EQ(number, SIGIO);
    ASSERT_EQ(my_tid(), owner);
    plain++, handled++;
}

static void on_queued(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGRTMIN + 1);
    ASSERT_EQ(my_tid(), owner);
    ASSERT_EQ(info->si_fd, pair[0]);
    ASSERT_EQ(info->si_code, POLL_IN);
    queued++, handled++;
}

static void *body(void *unused)
{
    owner = my_tid();
    while (!stop) sleep_ms(1);
    ASSERT_GE(plain, 1);
    ASSERT_GE(queued, 1);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_queued, .sa_flags = SA_SIGINFO | SA_RESTART};
    on_signal(SIGIO, on_io, SA_RESTART);
    SYS(sigaction(SIGRTMIN + 1, &action, NULL));
    pthread_t thread = spawn(body, NULL);
    UNTIL(owner != 0);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    struct f_owner_ex who = {F_OWNER_TID, owner}, now;
    SYS(fcntl(pair[0], F_SETOWN_EX, &who));
    SYS(fcntl(pair[0], F_GETOWN_EX, &now));
    ASSERT_EQ(now.type, F_OWNER_TID);
    ASSERT_EQ(now.pid, owner);
    ASSERT_EQ(SYS(fcntl(pair[0], F_GETSIG)), 0);
    SYS(fcntl(pair[0], F_SETFL, O_ASYNC));
    SYS(write(pair[1], "x", 1));
    UNTIL(handled >= 1);
    SYS(fcntl(pair[0], F_SETSIG, SIGRTMIN + 1));
    ASSERT_EQ(SYS(fcntl(pair[0], F_GETSIG)), SIGRTMIN + 1);
    int before = handled;
    SYS(write(pair[1], "x", 1));
    UNTIL(handled > before);
    stop = 1;
    join(thread);
    return 0;
}
