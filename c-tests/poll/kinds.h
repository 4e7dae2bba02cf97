// One descriptor of every kind that can be waited for, and what makes it ready.
#ifndef KINDS_H
#define KINDS_H

#include "coop-test.h"
#include <linux/io_uring.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

struct kind {
    const char *name;
    int fd, other;
    struct io_uring_params ring;
};

enum { PIPE, SOCKET, EVENTFD, TIMERFD, INOTIFY, PIDFD, URING, LISTENER, KINDS };

static struct sockaddr_in kinds_address;

static inline void make_kinds(struct kind *kinds)
{
    int ends[2];
    SYS(pipe(ends));
    kinds[PIPE] = (struct kind){.name = "pipe", .fd = ends[0], .other = ends[1]};
    tcp_pair(ends);
    kinds[SOCKET] = (struct kind){.name = "socket", .fd = ends[0], .other = ends[1]};
    kinds[EVENTFD] = (struct kind){.name = "eventfd", .fd = SYS(eventfd(0, 0))};
    kinds[TIMERFD] = (struct kind){.name = "timerfd", .fd = SYS(timerfd_create(CLOCK_MONOTONIC, 0))};
    kinds[INOTIFY] = (struct kind){.name = "inotify", .fd = SYS(inotify_init1(0))};
    SYS(inotify_add_watch(kinds[INOTIFY].fd, ".", IN_CREATE));
    pid_t child = SYS(fork());
    if (child == 0) pause_for_ever(NULL);
    kinds[PIDFD] = (struct kind){.name = "pidfd", .fd = syscall(SYS_pidfd_open, child, 0), .other = child};
    kinds[URING] = (struct kind){.name = "io_uring"};
    kinds[URING].fd = syscall(SYS_io_uring_setup, 4, &kinds[URING].ring);
    kinds[LISTENER] = (struct kind){.name = "listener", .fd = tcp_listener(&kinds_address, 4)};
}

static inline void make_ready(struct kind *kind, int which)
{
    uint64_t one = 1;
    struct itimerspec soon = {.it_value.tv_nsec = NS_PER_MS};
    if (which == PIPE || which == SOCKET) write_all(kind->other, "x", 1);
    if (which == EVENTFD) write_all(kind->fd, &one, 8);
    if (which == TIMERFD) SYS(timerfd_settime(kind->fd, 0, &soon, NULL));
    if (which == INOTIFY) SYS(close(SYS(open("made", O_CREAT | O_WRONLY, 0600))));
    if (which == PIDFD) SYS(kill(kind->other, SIGKILL));
    if (which == LISTENER) tcp_connect(&kinds_address);
    if (which == URING) {
        // A request that does nothing completes at once.
        struct io_uring_params *p = &kind->ring;
        char *ring = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, kind->fd, IORING_OFF_SQ_RING);
        struct io_uring_sqe *sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, kind->fd, IORING_OFF_SQES);
        ASSERT(ring != MAP_FAILED && (void *)sqe != MAP_FAILED);
        memset(sqe, 0, sizeof *sqe);
        sqe->opcode = IORING_OP_NOP;
        ((unsigned *)(ring + p->sq_off.array))[0] = 0;
        __atomic_store_n((unsigned *)(ring + p->sq_off.tail), 1, __ATOMIC_RELEASE);
        ASSERT_EQ(SYS(syscall(SYS_io_uring_enter, kind->fd, 1, 0, 0, NULL, 0)), 1);
    }
}

#endif
