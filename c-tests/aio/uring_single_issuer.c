// Rings that the kernel would hold to one thread (SINGLE_ISSUER, DEFER_TASKRUN) work from the thread that made them.
#include "ring.h"

#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1U << 12)
#define IORING_SETUP_DEFER_TASKRUN (1U << 13)
#endif
static int ends[2];

static void *user(void *flags)
{
    struct ring ring = new_ring(4, (unsigned)(uintptr_t)flags);
    char byte;
    int result;
    for (int i = 1; i <= 20; i++) {
        push(&ring, IORING_OP_READ, ends[0], &byte, 1, i);
        push(&ring, IORING_OP_NOP, -1, NULL, 0, 100 + i);
        ASSERT_EQ(enter(&ring, 2, 2, IORING_ENTER_GETEVENTS, NULL, 0), 2);
        uint64_t first = pop(&ring, &result), second = pop(&ring, &result);
        ASSERT_EQ(first + second, 100 + 2 * i);
        // Between its calls the thread waits for other things.
        sleep_ms(1);
    }
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    uintptr_t kinds[] = {IORING_SETUP_SINGLE_ISSUER, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    for (int i = 0; i < 2; i++) {
        pthread_t thread = spawn(user, (void *)kinds[i]);
        for (int n = 0; n < 20; n++) {
            sleep_ms(2);
            write_all(ends[1], "x", 1);
        }
        join(thread);
    }
    return 0;
}
