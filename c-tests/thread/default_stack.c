// With no attributes a thread has the default stack size, and 1 MiB of locals fit.
#include "coop-test.h"

static void *body(void *argument)
{
    volatile char locals[1 << 20];
    for (size_t i = 0; i < sizeof locals; i += 512) locals[i] = (char)i;
    sleep_ms(1);
    for (size_t i = 0; i < sizeof locals; i += 512) ASSERT_EQ(locals[i], (char)i);

    size_t size;
    pthread_attr_t attributes;
    OK(pthread_getattr_np(pthread_self(), &attributes));
    OK(pthread_attr_getstacksize(&attributes, &size));
    ASSERT_EQ(size, *(size_t *)argument);
    return NULL;
}

int main(void)
{
    size_t size;
    pthread_attr_t attributes;
    OK(pthread_getattr_default_np(&attributes));
    OK(pthread_attr_getstacksize(&attributes, &size));
    if (size < (2 << 20)) SKIP("the default stack is below 2 MiB here");
    pthread_t one = spawn(body, &size), two = spawn(body, &size);
    join(one);
    join(two);
    return 0;
}
