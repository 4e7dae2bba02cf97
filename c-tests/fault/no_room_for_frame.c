// A signal for a thread whose stack pointer is nowhere: SIGSEGV instead, whose handler has an alternate stack.
#include "coop-test.h"
#include <ucontext.h>

#define ALT (64 << 10)

static _Atomic int faults;
static long kept;

static void on_fault(int number, siginfo_t *info, void *context)
{
    mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
    ASSERT_EQ(number, SIGSEGV);
    ASSERT_EQ(info->si_code, SI_KERNEL);
    ASSERT_EQ(machine->gregs[REG_RSP], 0x1000);
    machine->gregs[REG_RSP] = kept;
    faults++;
}

static void on_user(int number)
{
    FAIL("handler of %d without a stack", number);
}

static void *body(void *unused)
{
    char *stack = malloc(ALT);
    stack_t mine = {.ss_sp = stack, .ss_size = ALT};
    SYS(sigaltstack(&mine, NULL));
    // tgkill(2) of the thread itself, with rsp at 0x1000.
    long pid = getpid(), tid = my_tid(), result;
    __asm__ volatile("mov %%rsp, %[kept]\n mov $0x1000, %%esp\n mov $234, %%eax\n syscall\n"
                     : "=a"(result), [kept] "+m"(kept)
                     : "D"(pid), "S"(tid), "d"((long)SIGUSR1) : "rcx", "r11", "memory");
    ASSERT_EQ(result, 0);
    ASSERT_EQ(faults, 1);
    mine.ss_flags = SS_DISABLE;
    SYS(sigaltstack(&mine, NULL));
    free(stack);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    SYS(sigaction(SIGSEGV, &action, NULL));
    on_signal(SIGUSR1, on_user, 0);
    join(spawn(body, NULL));
    return 0;
}
