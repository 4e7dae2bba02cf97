// Every other cancellation point in which a thread may wait: poll, select, epoll_wait, recv, send, sem_wait, join, waitpid, sigwait.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int quiet[2], full[2], epoll;
static sem_t never;
static pid_t child;
static pthread_t sleeper;

static void *body(void *argument)
{
    char buffer[4096] = "";
    struct pollfd poll_fd = {.fd = quiet[0], .events = POLLIN};
    struct epoll_event event;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(quiet[0], &set);
    sigset_t signals = signal_set(SIGUSR2);
    int number;
    switch ((intptr_t)argument) {
    case 0: poll(&poll_fd, 1, -1); break;
    case 1: select(quiet[0] + 1, &set, NULL, NULL, NULL); break;
    case 2: epoll_wait(epoll, &event, 1, -1); break;
    case 3: recv(quiet[0], buffer, 1, 0); break;
    case 4: for (;;) SYS(send(full[0], buffer, sizeof buffer, 0));
    case 5: sem_wait(&never); break;
    case 6: pthread_join(sleeper, NULL); break;
    case 7: waitpid(child, NULL, 0); break;
    case 8: sigwait(&signals, &number); break;
    }
    FAIL("call %d returned in a cancelled thread", (int)(intptr_t)argument);
}

int main(void)
{
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, quiet));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, full));
    SYS(sem_init(&never, 0, 0));
    epoll = SYS(epoll_create1(0));
    sigset_t set = signal_set(SIGUSR2);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    child = SYS(fork());
    if (child == 0)
        for (;;) pause();
    sleeper = spawn(pause_for_ever, NULL);

    pthread_t threads[9];
    for (intptr_t i = 0; i < 9; i++) threads[i] = spawn(body, (void *)i);
    let_others_block();
    for (int i = 0; i < 9; i++) OK(pthread_cancel(threads[i]));
    for (int i = 0; i < 9; i++) ASSERT_PTR(join(threads[i]), PTHREAD_CANCELED);

    SYS(kill(child, SIGKILL));
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    OK(pthread_cancel(sleeper));
    ASSERT_PTR(join(sleeper), PTHREAD_CANCELED);
    return 0;
}
