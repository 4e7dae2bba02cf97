// A thread cancelled while it waits in read ends as PTHREAD_CANCELED, its cleanup handlers run, the pipe is whole.
#include "coop-test.h"

static int ends[2];
static _Atomic int cleaned;

static void clean(void *amount) { cleaned += (int)(intptr_t)amount; }

static void *body(void *unused)
{
    (void)unused;
    char byte;
    pthread_cleanup_push(clean, (void *)1);
    pthread_cleanup_push(clean, (void *)10);
    SYS(read(ends[0], &byte, 1));
    FAIL("read returned in a cancelled thread");
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    char byte;
    SYS(pipe(ends));
    for (int round = 1; round <= 10; round++) {
        pthread_t thread = spawn(body, NULL);
        // Cancelled before it waits in the even rounds.
        if (round % 2) let_others_block();
        OK(pthread_cancel(thread));
        ASSERT_PTR(join(thread), PTHREAD_CANCELED);
        ASSERT_EQ(cleaned, round * 11);
    }
    SYS(write(ends[1], "x", 1));
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    ASSERT_EQ(byte, 'x');
    return 0;
}
