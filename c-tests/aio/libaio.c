// io_getevents waits for as many events as it is asked for, and while it does others run; a time-out ends it with what there is.
#include "coop-test.h"
#include <linux/aio_abi.h>
#include <sys/eventfd.h>

static aio_context_t context;
static int ends[2];
static volatile int reaped;

static void submit(int fd, int opcode, void *bytes, size_t size, int data)
{
    struct iocb block = {.aio_fildes = fd, .aio_lio_opcode = opcode, .aio_buf = (uintptr_t)bytes, .aio_nbytes = size, .aio_data = data};
    struct iocb *list[] = {&block};
    ASSERT_EQ(SYS(syscall(SYS_io_submit, context, 1, list)), 1);
}

static long events(long least, long most, struct io_event *into, struct timespec *time)
{
    return syscall(SYS_io_getevents, context, least, most, into, time);
}

static void *reaper(void *unused)
{
    struct io_event got[4];
    ASSERT_EQ(events(2, 4, got, NULL), 2);
    ASSERT_EQ(got[0].data + got[1].data, 3);
    reaped = 1;
    return unused;
}

int main(void)
{
    if (syscall(SYS_io_setup, 8, &context) == -1) SKIP("no libaio in this kernel");
    struct io_event got[4];
    struct timespec none = {0}, some = {.tv_nsec = 30 * NS_PER_MS};
    static char bytes[4096];
    SYS(pipe(ends));
    pthread_t thread = spawn(reaper, NULL);
    let_others_block();
    // A poll is an operation, too: one that ends when we say so.
    submit(ends[0], IOCB_CMD_POLL, (void *)(uintptr_t)POLLIN, 0, 1);
    let_others_block();
    ASSERT_EQ(reaped, 0);
    int file = fileno(tmpfile());
    submit(file, IOCB_CMD_PWRITE, bytes, sizeof bytes, 2);
    write_all(ends[1], "x", 1);
    join(thread);

    ASSERT_EQ(events(1, 4, got, &none), 0);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    ASSERT_EQ(events(1, 4, got, &some), 0);
    ASSERT_GE(ms_since(start), 29);
    submit(file, IOCB_CMD_PREAD, bytes, sizeof bytes, 3);
    ASSERT_EQ(events(2, 4, got, &some), 1);
    ASSERT_EQ(got[0].data, 3);
    ASSERT_EQ(got[0].res, sizeof bytes);
    FAILS(events(5, 4, got, &none), EINVAL);
    SYS(syscall(SYS_io_destroy, context));
    FAILS(events(1, 1, got, NULL), EINVAL);
    return 0;
}
