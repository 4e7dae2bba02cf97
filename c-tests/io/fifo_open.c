// Opening a FIFO waits for the other side, for readers and for writers; O_NONBLOCK does not.
#include "coop-test.h"

static void *open_to_read(void *unused)
{
    (void)unused;
    char word[6] = "";
    int fd = SYS(open("fifo", O_RDONLY));
    ASSERT_EQ(read_all(fd, word, 5), 5);
    ASSERT_STR(word, "hello");
    ASSERT_EQ(SYS(read(fd, word, 5)), 0);
    SYS(close(fd));
    return NULL;
}

static void *open_to_write(void *unused)
{
    (void)unused;
    int fd = SYS(open("fifo", O_WRONLY));
    write_all(fd, "hello", 5);
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    SYS(mkfifo("fifo", 0600));
    FAILS(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
    pthread_t one = spawn(open_to_read, NULL);
    let_others_block();
    pthread_t two = spawn(open_to_write, NULL);
    join(one);
    join(two);
    two = spawn(open_to_write, NULL);
    let_others_block();
    one = spawn(open_to_read, NULL);
    join(one);
    join(two);
    SYS(unlink("fifo"));
    return 0;
}
