// Regular files from many threads: pwrite and pread at one's own place, append, sync, truncate, positions shared.
#include "coop-test.h"
#include <sys/uio.h>

#define THREADS 16
#define BLOCK 8192

static int fd, log_fd;

static void *body(void *argument)
{
    off_t place = (off_t)(intptr_t)argument * BLOCK;
    unsigned char block[BLOCK], got[BLOCK];
    for (int round = 0; round < 10; round++) {
        memset(block, (int)(intptr_t)argument + round, BLOCK);
        ASSERT_EQ(SYS(pwrite(fd, block, BLOCK, place)), BLOCK);
        struct iovec parts[] = {{got, 100}, {got + 100, BLOCK - 100}};
        if (round % 2) ASSERT_EQ(SYS(preadv(fd, parts, 2, place)), BLOCK);
        else ASSERT_EQ(SYS(pread(fd, got, BLOCK, place)), BLOCK);
        ASSERT_MEM(got, block, BLOCK);
        ASSERT_EQ(SYS(write(log_fd, "0123456789abcdef\n", 17)), 17);
        if (round == 5) SYS(fsync(fd));
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    char line[18] = "";
    fd = SYS(open("file", O_RDWR | O_CREAT | O_EXCL, 0600));
    log_fd = SYS(open("log", O_WRONLY | O_CREAT | O_APPEND, 0600));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(SYS(lseek(fd, 0, SEEK_END)), THREADS * BLOCK);
    ASSERT_EQ(SYS(lseek(log_fd, 0, SEEK_END)), THREADS * 10 * 17);
    SYS(close(log_fd));

    log_fd = SYS(open("log", O_RDONLY));
    for (int i = 0; i < THREADS * 10; i++) {
        ASSERT_EQ(SYS(read(log_fd, line, 17)), 17);
        ASSERT_STR(line, "0123456789abcdef\n");
    }
    ASSERT_EQ(SYS(read(log_fd, line, 17)), 0);
    FAILS(write(log_fd, "x", 1), EBADF);
    SYS(ftruncate(fd, 10));
    ASSERT_EQ(SYS(pread(fd, line, 17, 5)), 5);
    ASSERT_EQ(SYS(pread(fd, line, 17, 10)), 0);
    FAILS(pread(fd, line, 17, -1), EINVAL);
    return 0;
}
