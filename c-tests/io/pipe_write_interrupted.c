// A large write interrupted after a part of it is taken returns that part; with nothing taken it is EINTR.
#include "coop-test.h"

static int ends[2];
static _Atomic int done;
static _Atomic long result;
static _Atomic int error;

static void handler(int number) { (void)number; }

static void *writer(void *unused)
{
    (void)unused;
    static char bytes[1 << 20];
    result = write(ends[1], bytes, sizeof bytes);
    error = errno;
    done = 1;
    return NULL;
}

static void interrupt_writer(void)
{
    done = 0;
    pthread_t thread = spawn(writer, NULL);
    let_others_block();
    while (!done) {
        pthread_kill(thread, SIGUSR1);
        sleep_ms(2);
    }
    join(thread);
}

int main(void)
{
    SYS(pipe(ends));
    on_signal(SIGUSR1, handler, 0);
    interrupt_writer();
    ASSERT_EQ(result, SYS(fcntl(ends[1], F_GETPIPE_SZ)));
    interrupt_writer();
    ASSERT_EQ(result, -1);
    ASSERT_EQ(error, EINTR);
    return 0;
}
