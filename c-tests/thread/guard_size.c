// The guard below a stack is as large as asked for: its lowest and highest byte fault.
#include "coop-test.h"

#define GUARD (64 << 10)

static void *touch(void *offset)
{
    void *low;
    size_t size, guard;
    pthread_attr_t attributes;
    OK(pthread_getattr_np(pthread_self(), &attributes));
    OK(pthread_attr_getstack(&attributes, &low, &size));
    OK(pthread_attr_getguardsize(&attributes, &guard));
    ASSERT_EQ(guard, GUARD);
    // The stack itself is usable down to its lowest byte.
    *(volatile char *)low = 1;
    *((volatile char *)low - (intptr_t)offset) = 1;
    return NULL;
}

int main(void)
{
    static const intptr_t offsets[] = {0, 1, GUARD / 2, GUARD};
    for (int i = 0; i < 4; i++) {
        pid_t child = SYS(fork());
        if (child == 0) {
            pthread_t thread;
            pthread_attr_t attributes;
            OK(pthread_attr_init(&attributes));
            OK(pthread_attr_setstacksize(&attributes, 256 << 10));
            OK(pthread_attr_setguardsize(&attributes, GUARD));
            OK(pthread_create(&thread, &attributes, touch, (void *)offsets[i]));
            join(thread);
            _exit(0);
        }
        ASSERT_EQ(finish(child), offsets[i] == 0 ? 0 : 128 + SIGSEGV);
    }
    return 0;
}
