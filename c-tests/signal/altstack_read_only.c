// A handler's stack becomes read-only while it runs: the return from the handler only reads there. Where no frame can be written the thread gets SIGSEGV.
#include "coop-test.h"
#include <sys/mman.h>

enum { SIZE = 64 << 10, LOOPS = 3000 };
static char *stack;
static volatile int handled, faulted, over;

static void handler(int signal)
{
    (void)signal;
    handled++;
}

static void faults(int signal)
{
    (void)signal;
    faulted++;
    mprotect(stack, SIZE, PROT_READ | PROT_WRITE);
}

static void *turns(void *unused)
{
    while (!over) {
        SYS(mprotect(stack, SIZE, PROT_READ));
        SYS(mprotect(stack, SIZE, PROT_READ | PROT_WRITE));
    }
    return unused;
}

// By an instruction of its own: libc's function would go on in libc's frame, which is none of this stack's either.
static void raises(void)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_tkill), "D"(my_tid()), "S"(SIGUSR1) : "rcx", "r11", "memory");
    ASSERT_EQ(result, 0);
}

static void *is_struck(void *unused)
{
    stack_t mine = {.ss_sp = stack, .ss_size = SIZE};
    SYS(sigaltstack(&mine, NULL));
    // No frame can be written: the other handler runs instead, on the stack that there is.
    SYS(mprotect(stack, SIZE, PROT_READ));
    raises();
    ASSERT_EQ(faulted, 1);
    ASSERT_EQ(handled, 0);
    raises();
    ASSERT_EQ(handled, 1);
    // Any time between.
    pthread_t other = spawn(turns, NULL);
    for (int i = 0; i < LOOPS; i++) raises();
    over = 1;
    join(other);
    ASSERT_GE(handled + faulted, LOOPS);
    return unused;
}

int main(void)
{
    stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(stack != MAP_FAILED);
    on_signal(SIGSEGV, faults, 0);
    on_signal(SIGUSR1, handler, SA_ONSTACK);
    join(spawn(is_struck, NULL));
    return 0;
}
