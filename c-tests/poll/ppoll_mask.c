// ppoll, pselect and epoll_pwait put their signal mask in place for the wait: a pending signal ends it, then the old mask is back.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>

static __thread volatile int handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static int wait_by(int call, int fd, const sigset_t *mask)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    struct epoll_event event;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    int epoll = SYS(epoll_create1(0));
    switch (call) {
    case 0: return ppoll(&one, 1, NULL, mask);
    case 1: return pselect(fd + 1, &set, NULL, NULL, NULL, mask);
    case 2: return epoll_pwait(epoll, &event, 1, -1, mask);
    default: return (int)syscall(SYS_epoll_pwait2, epoll, &event, 1, NULL, mask, 8);
    }
}

static void *body(void *argument)
{
    int ends[2];
    sigset_t blocked = signal_set(SIGUSR1), none, now;
    sigemptyset(&none);
    SYS(pipe(ends));
    OK(pthread_sigmask(SIG_BLOCK, &blocked, NULL));
    OK(pthread_kill(pthread_self(), SIGUSR1));
    ASSERT_EQ(handled, 0);
    FAILS(wait_by((int)(intptr_t)argument, ends[0], &none), EINTR);
    ASSERT_EQ(handled, 1);
    OK(pthread_sigmask(SIG_SETMASK, NULL, &now));
    ASSERT(sigismember(&now, SIGUSR1));
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_RESTART);
    pthread_t threads[4];
    for (intptr_t i = 0; i < 4; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
