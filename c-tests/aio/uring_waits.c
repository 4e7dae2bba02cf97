// io_uring_enter waits for as many completions as it is asked for, while others run; what it submits counts, and a time-out ends it.
#include "ring.h"

static int ends[2];

static void *writer(void *unused)
{
    for (int i = 0; i < 3; i++) {
        let_others_block();
        write_all(ends[1], "x", 1);
    }
    return unused;
}

int main(void)
{
    SYS(pipe(ends));
    join(spawn(writer, NULL));
    char bytes[4];
    ASSERT_EQ(read(ends[0], bytes, 4), 3);
    struct ring ring = new_ring(8, 0);
    for (int wait = 1; wait <= 3; wait += 2) {
        pthread_t thread = spawn(writer, NULL);
        for (int i = 0; i < 3; i++) push(&ring, IORING_OP_READ, ends[0], bytes + i, 1, i + 1);
        ASSERT_EQ(enter(&ring, 3, wait, IORING_ENTER_GETEVENTS, NULL, 0), 3);
        int seen = 0, result;
        while (pop(&ring, &result)) {
            ASSERT_EQ(result, 1);
            seen++;
        }
        ASSERT_GE(seen, wait);
        while (seen < 3) {
            ASSERT_EQ(enter(&ring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0), 0);
            while (pop(&ring, NULL)) seen++;
        }
        join(thread);
    }
    struct __kernel_timespec time = {.tv_nsec = 30 * NS_PER_MS};
    struct io_uring_getevents_arg arg = {.ts = (uintptr_t)&time};
    int64_t start = now_ns(CLOCK_MONOTONIC);
    FAILS(enter(&ring, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof arg), ETIME);
    ASSERT_GE(ms_since(start), 29);
    // With one of two it is no failure.
    push(&ring, IORING_OP_NOP, -1, NULL, 0, 9);
    push(&ring, IORING_OP_READ, ends[0], bytes, 1, 10);
    ASSERT_EQ(enter(&ring, 2, 2, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof arg), 2);
    ASSERT_EQ(enter(&ring, 0, 2, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof arg), 0);
    ASSERT_EQ(pop(&ring, NULL), 9);
    FAILS(enter(&ring, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, 3), EINVAL);
    FAILS(syscall(SYS_io_uring_enter, -1, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0), EBADF);
    return 0;
}
