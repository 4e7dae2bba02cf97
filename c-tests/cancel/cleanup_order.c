// Cleanup handlers run in reverse order, from wherever the thread is, and then the destructors of its keys.
#include "coop-test.h"

static pthread_key_t key;
static __thread int order[8], count;
static _Atomic int destroyed;

static void note(void *number)
{
    order[count++] = (int)(intptr_t)number;
}

static void destroy(void *value)
{
    ASSERT_EQ((intptr_t)value, 99);
    ASSERT_EQ(count, 4);
    for (int i = 0; i < 4; i++) ASSERT_EQ(order[i], 4 - i);
    destroyed++;
}

__attribute__((noinline)) static void deep(int depth, int leave)
{
    volatile char frame[256];
    frame[0] = (char)depth;
    pthread_cleanup_push(note, (void *)(intptr_t)(depth + 1));
    if (depth < 3) deep(depth + 1, leave);
    else if (leave) pthread_exit((void *)7);
    else for (;;) pause();
    pthread_cleanup_pop(0);
    frame[1] = frame[0];
}

static void *body(void *leave)
{
    OK(pthread_setspecific(key, (void *)99));
    deep(0, leave != NULL);
    FAIL("came back");
}

int main(void)
{
    OK(pthread_key_create(&key, destroy));
    for (int i = 0; i < 10; i++) {
        pthread_t thread = spawn(body, i % 2 ? (void *)1 : NULL);
        if (i % 2) ASSERT_PTR(join(thread), (void *)7);
        else {
            if (i % 4 == 0) let_others_block();
            OK(pthread_cancel(thread));
            ASSERT_PTR(join(thread), PTHREAD_CANCELED);
        }
    }
    ASSERT_EQ(destroyed, 10);
    return 0;
}
