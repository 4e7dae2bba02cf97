// A signal interrupts a call that waits inside the kernel: its handler runs at once, and the call fails with EINTR.
#include "lease.h"
#include <stdatomic.h>

static atomic_int handled, done;

static void handler(int number)
{
    (void)number;
    atomic_fetch_add(&handled, 1);
}

static void *opener(void *unused)
{
    (void)unused;
    FAILS(open(lease_path, O_WRONLY), EINTR);
    ASSERT_GE(atomic_load(&handled), 1);
    atomic_store(&done, 1);
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    lease_take();
    pthread_t thread = spawn(opener, NULL);
    UNTIL(lease_wanted());
    sleep_ms(20);
    // Again until it found the thread in the call.
    while (!atomic_load(&done)) {
        OK(pthread_kill(thread, SIGUSR1));
        sleep_ms(5);
    }
    join(thread);
    lease_give_up();
    return 0;
}
