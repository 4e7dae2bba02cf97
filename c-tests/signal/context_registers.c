// The ucontext of a handler that interrupted a waiting call shows the call's registers, and rax that it sets is the call's result.
#include "coop-test.h"
#include <ucontext.h>

static _Atomic int done;

static void handler(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)number, (void)info;
    if (registers[REG_R12] != 0x1212) return;
    ASSERT_EQ(registers[REG_RAX], -EINTR);
    ASSERT_EQ(registers[REG_RBX], 0xbbbb);
    registers[REG_RAX] = 777;
    registers[REG_RBX] = 0xcccc;
}

static void *body(void *unused)
{
    register long rbx __asm__("rbx") = 0xbbbb;
    register long r12 __asm__("r12") = 0x1212;
    long result;
    __asm__ volatile("mov $34, %%eax\n syscall" /* pause */
                     : "=a"(result), "+r"(rbx), "+r"(r12) : : "rcx", "r11", "memory");
    ASSERT_EQ(result, 777);
    ASSERT_EQ(rbx, 0xcccc);
    ASSERT_EQ(r12, 0x1212);
    done = 1;
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGUSR1, &action, NULL));
    pthread_t thread = spawn(body, NULL);
    let_others_block();
    while (!done) {
        OK(pthread_kill(thread, SIGUSR1));
        sleep_ms(2);
    }
    join(thread);
    return 0;
}
