// A wild pointer in a system call gives EFAULT, whoever reads it: the kernel or what stands in its place.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/uio.h>

static char *hole;

static void *body(void *unused)
{
    int ends[2], pair[2];
    char byte = 0;
    struct timespec soon = {0, 1000};
    SYS(pipe(ends));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SYS(write(ends[1], "abc", 3));
    SYS(write(pair[1], "abc", 3));
    int epoll = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event));

    FAILS(read(ends[0], hole, 1), EFAULT);
    FAILS(write(ends[1], hole, 1), EFAULT);
    FAILS(recv(pair[0], hole, 1, 0), EFAULT);
    FAILS(send(pair[1], hole, 1, 0), EFAULT);
    FAILS(readv(ends[0], (struct iovec *)hole, 1), EFAULT);
    FAILS(writev(ends[1], (struct iovec *)hole, 1), EFAULT);
    FAILS(recvmsg(pair[0], (struct msghdr *)hole, 0), EFAULT);
    FAILS(sendmsg(pair[1], (struct msghdr *)hole, 0), EFAULT);
    FAILS(epoll_wait(epoll, (struct epoll_event *)hole, 1, -1), EFAULT);
    FAILS(syscall(SYS_poll, hole, 1, 0), EFAULT);
    FAILS(syscall(SYS_ppoll, NULL, 0, hole, NULL, 8), EFAULT);
    FAILS(syscall(SYS_ppoll, NULL, 0, &soon, hole, 8), EFAULT);
    FAILS(syscall(SYS_select, 1, hole, NULL, NULL, NULL), EFAULT);
    FAILS(syscall(SYS_select, 0, NULL, NULL, NULL, hole), EFAULT);
    FAILS(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &soon, hole), EFAULT);
    FAILS(syscall(SYS_nanosleep, hole, NULL), EFAULT);
    FAILS(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, hole, NULL), EFAULT);
    FAILS(syscall(SYS_rt_sigaction, SIGUSR1, hole, NULL, 8), EFAULT);
    FAILS(syscall(SYS_rt_sigaction, SIGUSR1, NULL, hole, 8), EFAULT);
    FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, hole, NULL, 8), EFAULT);
    FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, hole, 8), EFAULT);
    FAILS(syscall(SYS_rt_sigpending, hole, 8), EFAULT);
    FAILS(syscall(SYS_rt_sigsuspend, hole, 8), EFAULT);
    FAILS(syscall(SYS_rt_sigtimedwait, hole, NULL, NULL, 8), EFAULT);
    FAILS(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, hole), EFAULT);
    FAILS(syscall(SYS_rt_tgsigqueueinfo, getpid(), my_tid(), SIGUSR1, hole), EFAULT);
    FAILS(syscall(SYS_sigaltstack, hole, NULL), EFAULT);
    FAILS(syscall(SYS_sigaltstack, NULL, hole), EFAULT);
    FAILS(syscall(SYS_futex, hole, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EFAULT);
    FAILS(syscall(SYS_futex, hole, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
    int word = 0;
    FAILS(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, hole, NULL, 0), EFAULT);
    FAILS(syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, &word, 1), EAGAIN);
    FAILS(syscall(SYS_futex, hole, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, &word, 0), EFAULT);
    FAILS(syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1, hole, 0), EFAULT);
    FAILS(syscall(SYS_futex, hole, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EFAULT);
    FAILS(syscall(SYS_futex, hole, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EFAULT);
    FAILS(syscall(SYS_get_robust_list, 0, hole, hole), EFAULT);
    FAILS(syscall(SYS_prctl, 15 /* PR_SET_NAME */, hole), EFAULT);
    FAILS(syscall(SYS_prctl, 16 /* PR_GET_NAME */, hole), EFAULT);
    FAILS(syscall(SYS_clone3, hole, 64), EFAULT);
    FAILS(syscall(SYS_openat, AT_FDCWD, hole, O_RDONLY), EFAULT);
    FAILS(syscall(SYS_accept, pair[0], hole, hole), EINVAL);

    // Nothing was lost on the way.
    ASSERT_EQ(read_all(ends[0], (char[3]){0}, 3), 3);
    ASSERT_EQ(SYS(recv(pair[0], &byte, 1, 0)), 1);
    ASSERT_EQ(byte, 'a');
    SYS(close(epoll));
    return unused;
}

int main(void)
{
    hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(hole != MAP_FAILED);
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
