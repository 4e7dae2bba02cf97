// A thread that waits on a descriptor which another closes goes on waiting, on the file it had, and gets its data.
#include "coop-test.h"

static int ends[2];

static void *reader(void *unused)
{
    (void)unused;
    char byte = 0;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    ASSERT_EQ(byte, 'd');
    FAILS(read(ends[0], &byte, 1), EBADF);
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    pthread_t thread = spawn(reader, NULL);
    // The reader must be inside before the close: this is what the test is about.
    sleep_ms(100);
    SYS(close(ends[0]));
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    SYS(write(ends[1], "d", 1));
    join(thread);
    return 0;
}
