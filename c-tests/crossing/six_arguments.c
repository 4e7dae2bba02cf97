// All six arguments of a call and its error arrive, made through syscall() and inline, at once and after a wait.
#include "coop-test.h"
#include <sys/epoll.h>

static long inline_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void *body(void *unused)
{
    (void)unused;
    long flags = MAP_PRIVATE | MAP_ANONYMOUS;
    long one = syscall(SYS_mmap, NULL, 8192L, (long)(PROT_READ | PROT_WRITE), flags, -1L, 0L);
    ASSERT_GT(one, 0);
    // MREMAP_MAYMOVE | MREMAP_FIXED takes five, mmap with MAP_FIXED checks the sixth.
    long two = inline_syscall(SYS_mmap, one, 4096, PROT_READ, flags | MAP_FIXED, -1, 0);
    ASSERT_EQ(two, one);
    ASSERT_EQ(inline_syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1), -EINVAL);
    ASSERT_EQ(inline_syscall(SYS_munmap, one, 8192, 0, 0, 0, 0), 0);

    sigset_t none;
    struct epoll_event event;
    sigemptyset(&none);
    long epoll = inline_syscall(SYS_epoll_create1, 0, 0, 0, 0, 0, 0);
    ASSERT_GT(epoll, 0);
    ASSERT_EQ(inline_syscall(SYS_epoll_pwait, epoll, (long)&event, 1, 5, (long)&none, 8), 0);
    ASSERT_EQ(inline_syscall(SYS_epoll_pwait, epoll, (long)&event, 1, 5, (long)&none, 7), -EINVAL);
    ASSERT_EQ(inline_syscall(SYS_read, -1, (long)&event, 1, 0, 0, 0), -EBADF);
    FAILS(syscall(SYS_read, -1, &event, 1), EBADF);
    FAILS(syscall(100000), ENOSYS);
    return NULL;
}

int main(void)
{
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
