// A ring that main made for itself alone (SINGLE_ISSUER, DEFER_TASKRUN) before there were threads goes on being main's when there are.
#include "ring.h"

#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1U << 12)
#define IORING_SETUP_DEFER_TASKRUN (1U << 13)
#endif
static int ends[2];

static void *writer(void *unused)
{
    for (int i = 0; i < 20; i++) {
        sleep_ms(2);
        write_all(ends[1], "x", 1);
    }
    return unused;
}

int main(void)
{
    SYS(pipe(ends));
    struct ring rings[] = {new_ring(4, IORING_SETUP_SINGLE_ISSUER),
                           new_ring(4, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)};
    for (int r = 0; r < 2; r++) {
        struct ring *ring = &rings[r];
        char byte;
        int result;
        push(ring, IORING_OP_NOP, -1, NULL, 0, 1);
        ASSERT_EQ(enter(ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0), 1);
        ASSERT_EQ(pop(ring, NULL), 1);
        pthread_t thread = spawn(writer, NULL);
        for (int i = 1; i <= 20; i++) {
            push(ring, IORING_OP_READ, ends[0], &byte, 1, i);
            push(ring, IORING_OP_NOP, -1, NULL, 0, 100 + i);
            if (i % 2) {
                ASSERT_EQ(enter(ring, 2, 2, IORING_ENTER_GETEVENTS, NULL, 0), 2);
            } else {
                ASSERT_EQ(enter(ring, 2, 0, 0, NULL, 0), 2);
                ASSERT_EQ(enter(ring, 0, 2, IORING_ENTER_GETEVENTS, NULL, 0), 0);
            }
            uint64_t first = pop(ring, &result), second = pop(ring, &result);
            ASSERT_EQ(first + second, 100 + 2 * i);
        }
        join(thread);
        struct __kernel_timespec time = {.tv_nsec = 20 * NS_PER_MS};
        struct io_uring_getevents_arg arg = {.ts = (uintptr_t)&time};
        FAILS(enter(ring, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof arg), ETIME);
        SYS(close(ring->fd));
    }
    return 0;
}
