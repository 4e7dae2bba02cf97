// 600 threads wait for a FIFO's writer; opens, a sync and an unlink of others go on beside them, and then the writer comes.
// env: COOP_FILE=thread
#include "coop-test.h"

#define OPENERS 600

static _Atomic int opened;

static void *opener(void *unused)
{
    (void)unused;
    int fd = SYS(open("fifo", O_RDONLY));
    opened++;
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    static pthread_t threads[OPENERS];
    SYS(mkfifo("fifo", 0600));
    for (int i = 0; i < OPENERS; i++) threads[i] = spawn_small(opener, NULL);
    let_others_block();
    ASSERT_EQ(opened, 0);
    int fd = SYS(open("beside", O_RDWR | O_CREAT, 0600));
    SYS(fsync(fd));
    SYS(unlink("beside"));
    fd = SYS(open("fifo", O_WRONLY));
    for (int i = 0; i < OPENERS; i++) join(threads[i]);
    ASSERT_EQ(opened, OPENERS);
    SYS(unlink("fifo"));
    return 0;
}
