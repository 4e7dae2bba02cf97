// A signal ends futex_waitv with EINTR, or, with SA_RESTART, lets it wait on until it is woken.
#include "waitv.h"

static uint32_t word;
static _Atomic int handled, woken;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *waiter(void *restarts)
{
    struct waitv_word list = waitv_word(&word, 0, WAITV_PRIVATE);
    if (restarts) ASSERT_EQ(SYS(futex_waitv(&list, 1, NULL)), 0);
    else FAILS(futex_waitv(&list, 1, NULL), EINTR);
    woken = 1;
    return NULL;
}

int main(void)
{
    waitv_needed();
    on_signal(SIGUSR1, handler, 0);
    pthread_t thread = spawn(waiter, NULL);
    while (!woken) {
        pthread_kill(thread, SIGUSR1);
        sleep_ms(2);
    }
    join(thread);
    ASSERT_GE(handled, 1);

    on_signal(SIGUSR1, handler, SA_RESTART);
    handled = woken = 0;
    thread = spawn(waiter, (void *)1);
    let_others_block();
    OK(pthread_kill(thread, SIGUSR1));
    UNTIL(handled == 1);
    sleep_ms(10);
    ASSERT_EQ(woken, 0);
    while (!woken) {
        futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        sleep_ms(1);
    }
    join(thread);
    return 0;
}
