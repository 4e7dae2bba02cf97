// A signal's handler ends FUTEX_WAIT with EINTR, or with SA_RESTART lets it go on waiting.
#include "coop-test.h"

static uint32_t word, restarted;
static _Atomic int handled, done;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *interrupted(void *unused)
{
    (void)unused;
    FAILS(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EINTR);
    done = 1;
    return NULL;
}

static void *goes_on(void *unused)
{
    (void)unused;
    ASSERT_EQ(futex(&restarted, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), 0);
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    pthread_t thread = spawn(interrupted, NULL);
    while (!done) {
        pthread_kill(thread, SIGUSR1);
        sleep_ms(2);
    }
    join(thread);
    on_signal(SIGUSR1, handler, SA_RESTART);
    thread = spawn(goes_on, NULL);
    let_others_block();
    for (int i = 0; i < 3; i++) {
        int before = handled;
        OK(pthread_kill(thread, SIGUSR1));
        UNTIL(handled > before);
    }
    UNTIL(futex(&restarted, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1);
    join(thread);
    return 0;
}
