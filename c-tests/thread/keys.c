// pthread keys: a value a thread, destructors at its end, and again for values a destructor sets, up to the limit.
#include "coop-test.h"

#define THREADS 30

static pthread_key_t plain, stubborn;
static _Atomic int plain_ended, stubborn_ended;

static void end_plain(void *value)
{
    ASSERT_NE((intptr_t)value, 0);
    ASSERT(pthread_getspecific(plain) == NULL);
    plain_ended++;
}

static void end_stubborn(void *value)
{
    stubborn_ended++;
    sleep_ms(1);
    OK(pthread_setspecific(stubborn, value));
}

static void *body(void *argument)
{
    ASSERT(pthread_getspecific(plain) == NULL);
    OK(pthread_setspecific(plain, argument));
    OK(pthread_setspecific(stubborn, argument));
    sleep_ms(1);
    ASSERT_PTR(pthread_getspecific(plain), argument);
    if ((intptr_t)argument % 2) pthread_exit(argument);
    return argument;
}

int main(void)
{
    pthread_t threads[THREADS];
    OK(pthread_key_create(&plain, end_plain));
    OK(pthread_key_create(&stubborn, end_stubborn));
    OK(pthread_setspecific(plain, &plain));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void *)(i + 1));
    for (intptr_t i = 0; i < THREADS; i++) ASSERT_EQ((intptr_t)join(threads[i]), i + 1);
    ASSERT_EQ(plain_ended, THREADS);
    ASSERT_EQ(stubborn_ended, THREADS * PTHREAD_DESTRUCTOR_ITERATIONS);
    ASSERT_PTR(pthread_getspecific(plain), &plain);
    OK(pthread_key_delete(plain));
    OK(pthread_key_delete(stubborn));
    return 0;
}
