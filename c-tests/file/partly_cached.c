// A read of a file that the page cache has in part gives all that was asked for, by every call and at every offset.
#include "coop-test.h"
#include <sys/uio.h>

#define SIZE (512 << 10)

static int fd;
static unsigned char bytes[SIZE + 100];

static void drop_middle(void)
{
    SYS(posix_fadvise(fd, 96 << 10, 256 << 10, POSIX_FADV_DONTNEED));
    memset(bytes, 0, sizeof bytes);
}

static void check(size_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) ASSERT_EQ(bytes[i], pattern(from + i));
}

static void *body(void *unused)
{
    (void)unused;
    struct iovec parts[3] = {{bytes, 1000}, {bytes + 1000, 200000}, {bytes + 201000, SIZE - 201000}};
    drop_middle();
    ASSERT_EQ(SYS(read(fd, bytes, SIZE)), SIZE);
    check(0, SIZE);
    ASSERT_EQ(SYS(lseek(fd, 0, SEEK_CUR)), SIZE);
    ASSERT_EQ(SYS(read(fd, bytes, 1)), 0);
    SYS(lseek(fd, 50, SEEK_SET));
    drop_middle();
    ASSERT_EQ(SYS(read(fd, bytes, SIZE + 100)), SIZE - 50);
    check(50, SIZE - 50);
    SYS(lseek(fd, 0, SEEK_SET));
    drop_middle();
    ASSERT_EQ(SYS(readv(fd, parts, 3)), SIZE);
    check(0, SIZE);
    ASSERT_EQ(SYS(lseek(fd, 0, SEEK_CUR)), SIZE);
    drop_middle();
    ASSERT_EQ(SYS(pread(fd, bytes, SIZE, 0)), SIZE);
    check(0, SIZE);
    drop_middle();
    ASSERT_EQ(SYS(preadv(fd, parts, 3, 10)), SIZE - 10);
    check(10, SIZE - 10);
    ASSERT_EQ(SYS(pread(fd, bytes, 10, SIZE)), 0);
    ASSERT_EQ(SYS(pread(fd, bytes, 100, SIZE - 30)), 30);
    ASSERT_EQ(SYS(lseek(fd, 0, SEEK_CUR)), SIZE);
    return NULL;
}

int main(void)
{
    fd = SYS(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    for (size_t i = 0; i < SIZE; i++) bytes[i] = pattern(i);
    write_all(fd, bytes, SIZE);
    SYS(fsync(fd));
    SYS(lseek(fd, 0, SEEK_SET));
    join(spawn(body, NULL));
    return 0;
}
