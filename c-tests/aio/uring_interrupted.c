// A signal ends io_uring_enter's wait with EINTR; a mask for the time of the call lets through what the thread blocks.
#include "ring.h"

static volatile int ended, handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *waiter(void *masked)
{
    struct ring ring = new_ring(4, 0);
    sigset_t set = signal_set(SIGUSR1), none;
    sigemptyset(&none);
    if (masked) OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    FAILS(enter(&ring, 0, 1, IORING_ENTER_GETEVENTS, masked ? &none : NULL, _NSIG / 8), EINTR);
    ended = 1;
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_RESTART);
    for (int masked = 0; masked < 2; masked++) {
        ended = handled = 0;
        pthread_t thread = spawn(waiter, masked ? "" : NULL);
        for (; !ended; sleep_ms(5)) OK(pthread_kill(thread, SIGUSR1));
        join(thread);
        ASSERT_GT(handled, 0);
    }
    return 0;
}
