// A thread gets the stack size it asked for, can use nearly all of it, and finds it intact after a wait at every depth.
#include "coop-test.h"

#define FRAME 4096

static long dive(long depth)
{
    volatile unsigned char frame[FRAME];
    for (size_t i = 0; i < FRAME; i += 64) frame[i] = (unsigned char)(depth + i);
    sched_yield();
    long below = depth > 0 ? dive(depth - 1) : 0;
    for (size_t i = 0; i < FRAME; i += 64) ASSERT_EQ(frame[i], (unsigned char)(depth + i));
    return below + 1;
}

static void *body(void *argument)
{
    size_t wanted = (size_t)argument, size;
    pthread_attr_t attributes;
    OK(pthread_getattr_np(pthread_self(), &attributes));
    OK(pthread_attr_getstacksize(&attributes, &size));
    OK(pthread_attr_destroy(&attributes));
    ASSERT_GE(size, wanted);
    ASSERT_LE(size, wanted + (64 << 10));
    // Thread-local storage and the dive's own frames take the rest.
    long depth = (wanted - (32 << 10)) / (FRAME + 256);
    ASSERT_EQ(dive(depth), depth + 1);
    return NULL;
}

int main(void)
{
    static const size_t sizes[] = {64 << 10, 128 << 10, 1 << 20, 8 << 20, 64 << 20};
    for (int i = 0; i < 5; i++) {
        pthread_t threads[2];
        pthread_attr_t attributes;
        OK(pthread_attr_init(&attributes));
        OK(pthread_attr_setstacksize(&attributes, sizes[i]));
        for (int j = 0; j < 2; j++)
            OK(pthread_create(&threads[j], &attributes, body, (void *)sizes[i]));
        for (int j = 0; j < 2; j++) join(threads[j]);
    }
    return 0;
}
