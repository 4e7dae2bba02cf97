// A wild pointer in a system call gives EFAULT and no signal, even where the program has a handler for its own faults.
#include "coop-test.h"

static char *pages;

static void handler(int number)
{
    FAIL("signal %d for a system call's argument", number);
}

static void *body(void *unused)
{
    struct timespec *straddles = (struct timespec *)(pages + 4096 - 8);
    int word = 0;
    straddles->tv_sec = 0;
    FAILS(syscall(SYS_nanosleep, straddles, NULL), EFAULT);
    FAILS(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, straddles, NULL, 0), EFAULT);
    FAILS(syscall(SYS_ppoll, NULL, 0, straddles, NULL, 8), EFAULT);
    FAILS(syscall(SYS_rt_sigtimedwait, &(uint64_t){0}, NULL, straddles, 8), EFAULT);
    // Read-only memory: what was to be written is not, and the error says so.
    FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, pages + 8192, 8), EFAULT);
    FAILS(syscall(SYS_rt_sigpending, pages + 8192, 8), EFAULT);
    FAILS(syscall(SYS_sigaltstack, NULL, pages + 8192), EFAULT);
    FAILS(syscall(SYS_futex, pages + 8192, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EFAULT);
    ASSERT_EQ(pages[8192], 0);
    return unused;
}

int main(void)
{
    on_signal(SIGSEGV, handler, 0);
    on_signal(SIGBUS, handler, 0);
    pages = mmap(NULL, 4096 * 3, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(pages != MAP_FAILED);
    SYS(mprotect(pages + 4096, 4096, PROT_NONE));
    SYS(mprotect(pages + 8192, 4096, PROT_READ));
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
