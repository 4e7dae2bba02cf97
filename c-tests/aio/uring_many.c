// 300 threads, each with a ring of its own, wait for reads that one thread serves; rings are made before the first thread and after.
// timeout: 60
#include "ring.h"

enum { THREADS = 300 };
static int ends[THREADS][2];
static struct ring early;

static void *waiter(void *number)
{
    long i = (long)number;
    struct ring ring = i == 0 ? early : new_ring(2, 0);
    for (int round = 0; round < 3; round++) {
        char byte = 0;
        int result = -1;
        push(&ring, IORING_OP_READ, ends[i][0], &byte, 1, i + 1);
        ASSERT_EQ(enter(&ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0), 1);
        ASSERT_EQ(pop(&ring, &result), i + 1);
        ASSERT_EQ(result, 1);
        ASSERT_EQ(byte, 'a' + round);
    }
    SYS(close(ring.fd));
    return NULL;
}

int main(void)
{
    static pthread_t threads[THREADS];
    early = new_ring(2, 0);
    for (long i = 0; i < THREADS; i++) {
        SYS(pipe(ends[i]));
        threads[i] = spawn_small(waiter, (void *)i);
    }
    for (int round = 0; round < 3; round++) {
        let_others_block();
        char byte = 'a' + round;
        for (int i = THREADS; i-- > 0;) write_all(ends[i][1], &byte, 1);
    }
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
