// O_ASYNC with F_SETOWN: SIGIO for the process, by its id or a thread's, when data comes; with F_SETSIG a queued signal that says which descriptor.
#include "coop-test.h"

static int pair[2];
static _Atomic int plain, queued;

static void on_io(int number)
{
    ASSERT_EQ(number, SIGIO);
    plain++;
}

static void on_queued(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGRTMIN + 1);
    ASSERT_EQ(info->si_fd, pair[0]);
    ASSERT_EQ(info->si_code, POLL_IN);
    ASSERT(info->si_band & POLLIN);
    queued++;
}

static void *names_itself(void *unused)
{
    SYS(fcntl(pair[0], F_SETOWN, my_tid()));
    int before = queued;
    SYS(write(pair[1], "x", 1));
    UNTIL(queued > before);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_queued, .sa_flags = SA_SIGINFO | SA_RESTART};
    on_signal(SIGIO, on_io, SA_RESTART);
    SYS(sigaction(SIGRTMIN + 1, &action, NULL));
    pthread_t other = spawn(pause_for_ever, NULL);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SYS(fcntl(pair[0], F_SETOWN, getpid()));
    ASSERT_EQ(SYS(fcntl(pair[0], F_GETOWN)), getpid());
    SYS(fcntl(pair[0], F_SETFL, O_ASYNC));
    SYS(write(pair[1], "x", 1));
    UNTIL(plain >= 1);
    SYS(fcntl(pair[0], F_SETSIG, SIGRTMIN + 1));
    SYS(write(pair[1], "x", 1));
    UNTIL(queued >= 1);
    join(spawn(names_itself, NULL));
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
