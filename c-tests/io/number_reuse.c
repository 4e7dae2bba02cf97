// When a descriptor's number is used again for another file, one who waits on the old file gets nothing of the new one.
#include "coop-test.h"

static int old[2];

static void *reader(void *unused)
{
    (void)unused;
    char byte = 0;
    ASSERT_EQ(SYS(read(old[0], &byte, 1)), 1);
    ASSERT_EQ(byte, 'o');
    return NULL;
}

int main(void)
{
    int fresh[2];
    char byte;
    SYS(pipe(old));
    pthread_t thread = spawn(reader, NULL);
    // The reader must be inside before the close: this is what the test is about.
    sleep_ms(100);
    SYS(close(old[0]));
    SYS(pipe(fresh));
    ASSERT_EQ(fresh[0], old[0]);
    SYS(write(fresh[1], "n", 1));
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    ASSERT_EQ(SYS(read(fresh[0], &byte, 1)), 1);
    ASSERT_EQ(byte, 'n');
    SYS(write(old[1], "o", 1));
    join(thread);
    return 0;
}
