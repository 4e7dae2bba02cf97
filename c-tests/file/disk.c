// Calls that wait for the disk give what they give natively: syncs, allocation, holes, readahead, copies in the kernel.
#include "coop-test.h"

static void *body(void *unused)
{
    (void)unused;
    struct stat st;
    char bytes[16], zeros[16] = {0};
    int fd = SYS(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600)), copy = SYS(open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600));
    SYS(posix_fallocate(fd, 0, 64 << 10) == 0 ? 0 : -1);
    SYS(fstat(fd, &st));
    ASSERT_EQ(st.st_size, 64 << 10);
    ASSERT_EQ(SYS(pwrite(fd, "here", 4, 20000)), 4);
    SYS(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 16384, 8192) == 0) {
        ASSERT_EQ(SYS(pread(fd, bytes, 16, 20000)), 16);
        ASSERT_MEM(bytes, zeros, 16);
    } else {
        ASSERT_EQ(errno, EOPNOTSUPP);
    }
    FAILS(fallocate(fd, 0, -1, 10), EINVAL);
    FAILS(fallocate(-1, 0, 0, 10), EBADF);
    SYS(truncate("file", 100));
    SYS(fstat(fd, &st));
    ASSERT_EQ(st.st_size, 100);
    SYS(ftruncate(fd, 50000));
    SYS(pwrite(fd, "copied", 6, 40000));
    SYS(readahead(fd, 0, 50000));
    off_t from = 40000, to = 10;
    ASSERT_EQ(SYS(copy_file_range(fd, &from, copy, &to, 6, 0)), 6);
    ASSERT_EQ(from, 40006);
    ASSERT_EQ(SYS(pread(copy, bytes, 16, 10)), 6);
    ASSERT_MEM(bytes, "copied", 6);
    SYS(fsync(fd));
    SYS(fdatasync(copy));
    SYS(syncfs(fd));
    FAILS(fsync(-1), EBADF);
    int ends[2];
    SYS(pipe(ends));
    FAILS(fsync(ends[0]), EINVAL);
    return NULL;
}

int main(void)
{
    join(spawn(body, NULL));
    return 0;
}
