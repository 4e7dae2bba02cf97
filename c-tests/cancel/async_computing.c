// Asynchronous cancellation ends a thread that computes without a call; deferred it does not, until it is made asynchronous.
#include "coop-test.h"

static _Atomic int computing, cleaned;
static volatile uint64_t counter;

static void cleanup(void *unused)
{
    (void)unused;
    cleaned++;
}

static void *body(void *deferred)
{
    int old;
    pthread_cleanup_push(cleanup, NULL);
    OK(pthread_setcanceltype(deferred ? PTHREAD_CANCEL_DEFERRED : PTHREAD_CANCEL_ASYNCHRONOUS, &old));
    ASSERT_EQ(old, PTHREAD_CANCEL_DEFERRED);
    computing = 1;
    while (computing != 2) counter++;
    OK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old));
    for (;;) counter++;
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    for (intptr_t deferred = 0; deferred < 2; deferred++) {
        computing = cleaned = 0;
        pthread_t thread = spawn(body, (void *)deferred);
        UNTIL(computing == 1);
        OK(pthread_cancel(thread));
        if (deferred) {
            sleep_ms(15);
            ASSERT_EQ(cleaned, 0);
            computing = 2;
        }
        ASSERT_PTR(join(thread), PTHREAD_CANCELED);
        ASSERT_EQ(cleaned, 1);
    }
    return 0;
}
