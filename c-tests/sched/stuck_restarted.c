// With SA_RESTART a signal's handler runs while the call waits inside the kernel, and the call goes on.
#include "lease.h"
#include <stdatomic.h>

static atomic_int handled;

static void handler(int number)
{
    (void)number;
    atomic_fetch_add(&handled, 1);
}

static void *opener(void *unused)
{
    (void)unused;
    close(SYS(open(lease_path, O_WRONLY)));
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_RESTART);
    lease_take();
    pthread_t thread = spawn(opener, NULL);
    UNTIL(lease_wanted());
    sleep_ms(20);
    OK(pthread_kill(thread, SIGUSR1));
    UNTIL(atomic_load(&handled) == 1);
    sleep_ms(20);
    lease_give_up();
    join(thread);
    ASSERT_EQ(atomic_load(&handled), 1);
    return 0;
}
