// A handler without SA_RESTART ends a call that the doors do not know with EINTR, and sees it ended.
#include "not_caught.h"
#include <stdatomic.h>
#include <ucontext.h>

static int ends[2];
static atomic_int handled, done;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)registers[REG_RIP];
    // Before the call, or after it.
    if (code[-2] == 0x0f && code[-1] == 0x05 && registers[REG_RAX] == -EINTR) atomic_fetch_add(&handled, 1);
}

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(hidden_call(SYS_read, ends[0], (long)&byte, 1, 0, 0), -EINTR);
    atomic_store(&done, 1);
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGUSR1, &action, NULL));
    pthread_t thread = spawn(reader, NULL);
    sleep_ms(40);
    // Again until it found the thread in the call.
    while (!atomic_load(&done)) {
        OK(pthread_kill(thread, SIGUSR1));
        sleep_ms(20);
    }
    join(thread);
    ASSERT_GE(atomic_load(&handled), 1);
    return 0;
}
