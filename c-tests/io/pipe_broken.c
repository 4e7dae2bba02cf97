// Writing to a pipe nobody reads: EPIPE with SIGPIPE ignored, also for one who waits; the handler runs else.
#include "coop-test.h"

static int ends[2];
static _Atomic int handled;
static _Atomic pid_t handler_thread;

static void handler(int number)
{
    ASSERT_EQ(number, SIGPIPE);
    handler_thread = my_tid();
    handled++;
}

static void *waiting_writer(void *unused)
{
    (void)unused;
    static char bytes[1 << 20];
    ssize_t wrote = write(ends[1], bytes, sizeof bytes);
    // A part may have been taken before the reader went.
    if (wrote == -1) ASSERT_EQ(errno, EPIPE);
    else ASSERT_LT(wrote, (ssize_t)sizeof bytes);
    FAILS(write(ends[1], bytes, 1), EPIPE);
    return NULL;
}

static void *handling_writer(void *unused)
{
    (void)unused;
    FAILS(write(ends[1], "x", 1), EPIPE);
    ASSERT_EQ(handled, 1);
    ASSERT_EQ(handler_thread, my_tid());
    return NULL;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    SYS(pipe(ends));
    pthread_t thread = spawn(waiting_writer, NULL);
    let_others_block();
    SYS(close(ends[0]));
    join(thread);
    on_signal(SIGPIPE, handler, 0);
    join(spawn(handling_writer, NULL));
    ASSERT_EQ(handled, 1);
    return 0;
}
