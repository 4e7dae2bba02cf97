// raise runs the handler before it returns, in the calling thread.
#include "coop-test.h"

static __thread volatile int handled;

static void handler(int number)
{
    ASSERT_EQ(number, SIGUSR2);
    handled++;
}

static void *body(void *unused)
{
    (void)unused;
    for (int i = 1; i <= 100; i++) {
        ASSERT_EQ(raise(SIGUSR2), 0);
        ASSERT_EQ(handled, i);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[10];
    on_signal(SIGUSR2, handler, 0);
    for (int i = 0; i < 10; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 10; i++) join(threads[i]);
    body(NULL);
    return 0;
}
