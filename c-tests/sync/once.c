// pthread_once runs its function once; those who come while it waits get its finished result.
#include "coop-test.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int calls, result;

static void init(void)
{
    calls++;
    sleep_ms(20);
    result = 5;
}

static void *body(void *unused)
{
    (void)unused;
    OK(pthread_once(&once, init));
    ASSERT_EQ(result, 5);
    return NULL;
}

int main(void)
{
    pthread_t threads[20];
    for (int i = 0; i < 20; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 20; i++) join(threads[i]);
    ASSERT_EQ(calls, 1);
    return 0;
}
