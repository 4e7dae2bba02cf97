// A handler with SA_RESTART runs in a call that the doors do not know, which then goes on; a poll ends with EINTR all the same.
#include "not_caught.h"
#include <poll.h>
#include <stdatomic.h>
#include <ucontext.h>

static int ends[2];
static atomic_int in_call, others, done;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)registers[REG_RIP];
    // The call is to be made again.
    if (code[0] == 0x0f && code[1] == 0x05 && registers[REG_RAX] == SYS_read)
        atomic_fetch_add(&in_call, 1);
    else
        atomic_fetch_add(&others, 1);
}

static void *reader(void *unused)
{
    (void)unused;
    char byte = 0;
    ASSERT_EQ(hidden_call(SYS_read, ends[0], (long)&byte, 1, 0, 0), 1);
    ASSERT_EQ(byte, 'r');
    struct pollfd entry = {.fd = ends[0], .events = POLLIN};
    ASSERT_EQ(hidden_call(SYS_poll, (long)&entry, 1, -1, 0, 0), -EINTR);
    atomic_store(&done, 1);
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    SYS(sigaction(SIGUSR1, &action, NULL));
    pthread_t thread = spawn(reader, NULL);
    sleep_ms(40);
    while (atomic_load(&in_call) < 3) {
        OK(pthread_kill(thread, SIGUSR1));
        sleep_ms(20);
    }
    SYS(write(ends[1], "r", 1));
    sleep_ms(40);
    while (!atomic_load(&done)) {
        OK(pthread_kill(thread, SIGUSR1));
        sleep_ms(20);
    }
    join(thread);
    return 0;
}
