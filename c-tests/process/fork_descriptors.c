// Descriptors after a fork: the child's closes are its own, offsets are shared, and the parent's waits are not disturbed.
#include "coop-test.h"

static int feed[2];

static void *waits(void *unused)
{
    char byte;
    (void)unused;
    ASSERT_EQ(SYS(read(feed[0], &byte, 1)), 1);
    ASSERT_EQ(byte, 'x');
    return NULL;
}

int main(void)
{
    char path[] = "/tmp/coop-fork-XXXXXX", text[4] = "";
    int fd = SYS(mkstemp(path));
    SYS(unlink(path));
    write_all(fd, "abcdef", 6);
    SYS(lseek(fd, 0, SEEK_SET));
    SYS(pipe(feed));
    pthread_t thread = spawn(waits, NULL);
    let_others_block();
    pid_t child = SYS(fork());
    if (child == 0) {
        ASSERT_EQ(SYS(read(fd, text, 3)), 3);
        for (int i = 3; i < 20000; i++) close(i);
        ASSERT_EQ(SYS(open("/dev/null", O_RDONLY)), 3);
        _exit(0);
    }
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(SYS(read(fd, text, 3)), 3);
    ASSERT_STR(text, "def");
    write_all(feed[1], "x", 1);
    join(thread);
    return 0;
}
