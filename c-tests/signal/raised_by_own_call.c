// A signal that a thread's own call raises, by a descriptor's owner or a message queue, is handled before the call returns.
// libs: -lrt
#include "coop-test.h"
#include <mqueue.h>
#include <sys/ioctl.h>

static volatile int handled;

static void count(int signal)
{
    (void)signal;
    handled++;
}

static void *idle(void *unused)
{
    for (;;) pause();
    return unused;
}

static void by_descriptor(int own)
{
    int pair[2];
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pid_t pid = getpid();
    if (own) SYS(fcntl(pair[0], F_SETOWN, pid));
    else SYS(ioctl(pair[0], FIOSETOWN, &pid));
    SYS(fcntl(pair[0], F_SETFL, O_ASYNC));
    for (int i = 0; i < 100; i++) {
        int before = handled;
        char byte;
        ASSERT_EQ(SYS(write(pair[1], "x", 1)), 1);
        ASSERT(handled > before);
        ASSERT_EQ(SYS(read(pair[0], &byte, 1)), 1);
    }
    SYS(close(pair[0]));
    SYS(close(pair[1]));
}

static void by_queue(void)
{
    char name[50];
    snprintf(name, sizeof name, "/coop-raised-%d", getpid());
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 8};
    mqd_t queue = SYS(mq_open(name, O_CREAT | O_RDWR, 0600, &attr));
    SYS(mq_unlink(name));
    for (int i = 0; i < 100; i++) {
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
        SYS(mq_notify(queue, &event));
        int before = handled;
        char message[8];
        SYS(mq_send(queue, "x", 1, 0));
        ASSERT_EQ(handled, before + 1);
        SYS(mq_receive(queue, message, sizeof message, NULL));
    }
    SYS(mq_close(queue));
}

int main(void)
{
    struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
    SYS(sigaction(SIGIO, &action, NULL));
    SYS(sigaction(SIGUSR1, &action, NULL));
    // Made and owned before there is a second thread.
    int early[2];
    char byte;
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, early));
    SYS(fcntl(early[0], F_SETOWN, getpid()));
    SYS(fcntl(early[0], F_SETFL, O_ASYNC));
    // A thread that has them blocked from its beginning: one that closes its mask later might take one of the first before.
    sigset_t all, before_it;
    sigfillset(&all);
    OK(pthread_sigmask(SIG_SETMASK, &all, &before_it));
    spawn(idle, NULL);
    OK(pthread_sigmask(SIG_SETMASK, &before_it, NULL));
    for (int i = 0; i < 100; i++) {
        int before = handled;
        ASSERT_EQ(SYS(write(early[1], "x", 1)), 1);
        ASSERT(handled > before);
        ASSERT_EQ(SYS(read(early[0], &byte, 1)), 1);
    }
    by_descriptor(1);
    by_descriptor(0);
    by_queue();
    return 0;
}
