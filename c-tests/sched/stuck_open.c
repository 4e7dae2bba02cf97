// An open that waits for a lease to be given up holds up no other thread.
#include "lease.h"

static void *opener(void *unused)
{
    (void)unused;
    close(SYS(open(lease_path, O_WRONLY)));
    return NULL;
}

int main(void)
{
    lease_take();
    pthread_t thread = spawn(opener, NULL);
    UNTIL(lease_wanted());
    sleep_ms(20);
    lease_give_up();
    join(thread);
    return 0;
}
