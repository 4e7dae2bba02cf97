// What file calls refuse, they refuse a thread with the kernel's own errno.
#include "coop-test.h"
#include <sys/uio.h>

static void *body(void *unused)
{
    (void)unused;
    char bytes[16];
    int ends[2], fd = SYS(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600)), dir = SYS(open(".", O_RDONLY));
    struct iovec bad = {(void *)16, 8}, none = {bytes, (size_t)-1};
    SYS(pipe(ends));
    write_all(fd, "0123456789", 10);
    FAILS(read(dir, bytes, 1), EISDIR);
    FAILS(write(dir, bytes, 1), EBADF);
    FAILS(pread(ends[0], bytes, 1, 0), ESPIPE);
    FAILS(pwrite(ends[1], bytes, 1, 0), ESPIPE);
    FAILS(lseek(ends[0], 0, SEEK_CUR), ESPIPE);
    FAILS(pread(fd, bytes, 1, -1), EINVAL);
    FAILS(pwrite(fd, bytes, 1, -1), EINVAL);
    FAILS(pread(fd, (void *)16, 5, 0), EFAULT);
    FAILS(pwrite(fd, (void *)16, 5, 0), EFAULT);
    FAILS(preadv(fd, &bad, 1, 0), EFAULT);
    FAILS(pwritev(fd, &none, 1, 0), EINVAL);
    FAILS(readv(fd, &bad, 1025), EINVAL);
    FAILS(readv(fd, &bad, -1), EINVAL);
    ASSERT_EQ(SYS(pread(fd, bytes, 0, 0)), 0);
    ASSERT_EQ(SYS(pread(fd, bytes, 16, 100)), 0);
    ASSERT_EQ(SYS(readv(fd, &bad, 0)), 0);
    int reads = SYS(open("file", O_RDONLY)), writes = SYS(open("file", O_WRONLY)), path = SYS(open("file", O_PATH));
    FAILS(write(reads, bytes, 1), EBADF);
    FAILS(pwrite(reads, bytes, 1, 0), EBADF);
    FAILS(read(writes, bytes, 1), EBADF);
    FAILS(pread(writes, bytes, 1, 0), EBADF);
    FAILS(read(path, bytes, 1), EBADF);
    FAILS(pread(-1, bytes, 1, 0), EBADF);
    FAILS(open("no such directory/file", O_RDONLY), ENOENT);
    FAILS(open("file/below", O_RDONLY), ENOTDIR);
    FAILS(open((char *)16, O_RDONLY), EFAULT);
    FAILS(open(".", O_WRONLY), EISDIR);
    FAILS(ftruncate(reads, 1), EINVAL);
    return NULL;
}

int main(void)
{
    join(spawn(body, NULL));
    return 0;
}
