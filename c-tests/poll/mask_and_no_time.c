// A signal that waits behind the mask, and a call that lets it through but does not wait: ppoll and pselect are interrupted by it,
// epoll_pwait leaves it pending. A descriptor that is ready comes first.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>

static volatile sig_atomic_t handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static int is_pending(void)
{
    sigset_t pending;
    SYS(sigpending(&pending));
    return sigismember(&pending, SIGUSR1);
}

static void *body(void *unused)
{
    sigset_t all = signal_set(SIGUSR1), none;
    sigemptyset(&none);
    OK(pthread_sigmask(SIG_BLOCK, &all, NULL));
    struct timespec now = {0, 0};
    int ends[2];
    SYS(pipe(ends));
    OK(pthread_kill(pthread_self(), SIGUSR1));
    int epoll = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    ASSERT_EQ(epoll_pwait(epoll, &event, 1, 0, &none), 0);
    ASSERT(handled == 0 && is_pending());
    // A descriptor that is ready: the signal stays where it is.
    write_all(ends[1], "x", 1);
    struct pollfd one = {ends[0], POLLIN, 0};
    ASSERT_EQ(ppoll(&one, 1, NULL, &none), 1);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    ASSERT_EQ(pselect(ends[0] + 1, &set, NULL, NULL, NULL, &none), 1);
    ASSERT_EQ(epoll_pwait(epoll, &event, 1, -1, &none), 1);
    ASSERT(handled == 0 && is_pending());
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    // Nothing ready: it comes.
    FAILS(ppoll(&one, 1, &now, &none), EINTR);
    ASSERT(handled == 1 && !is_pending());
    OK(pthread_kill(pthread_self(), SIGUSR1));
    FD_SET(ends[0], &set);
    FAILS(pselect(ends[0] + 1, &set, NULL, NULL, &now, &none), EINTR);
    ASSERT(handled == 2 && FD_ISSET(ends[0], &set));
    OK(pthread_kill(pthread_self(), SIGUSR1));
    FAILS(epoll_pwait(epoll, &event, 1, -1, &none), EINTR);
    ASSERT_EQ(handled, 3);
    OK(pthread_sigmask(SIG_SETMASK, NULL, &none));
    ASSERT(sigismember(&none, SIGUSR1));
    return unused;
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    join(spawn(body, NULL));
    return 0;
}
