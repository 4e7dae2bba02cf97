// What cannot be memory at all is said before anything is read or waited for; negative lengths and positions are errors, and move nothing.
#include "coop-test.h"
#include <sys/uio.h>

static char bytes[64];
// Not for the compiler to know.
static volatile size_t huge = (size_t)-1;

static void nothing_moves(int from, int to)
{
    struct iovec one = {bytes, huge}, two[2] = {{bytes, 10}, {bytes, huge}};
    struct iovec high = {(void *)0x7ffffffff000, 10};
    FAILS(read(from, bytes, huge), EFAULT);
    FAILS(write(to, bytes, huge), EFAULT);
    FAILS(readv(from, &one, 1), EINVAL);
    FAILS(readv(from, two, 2), EINVAL);
    FAILS(writev(to, &one, 1), EINVAL);
    FAILS(writev(to, two, 2), EINVAL);
    FAILS(readv(from, &high, 1), EFAULT);
    FAILS(readv(from, two, -1), EINVAL);
    FAILS(writev(to, two, 1025), EINVAL);
    FAILS(preadv2(from, two, 2, -1, 0), EINVAL);
}

static void *all(void *unused)
{
    char path[] = "/tmp/coop-file-XXXXXX";
    int file = SYS(mkstemp(path)), pipes[2], sockets[2];
    SYS(unlink(path));
    write_all(file, "0123456789", 10);
    SYS(lseek(file, 3, SEEK_SET));
    struct iovec ten = {bytes, 10};
    for (int i = 0; i < 2; i++) {
        nothing_moves(file, file);
        FAILS(pread(file, bytes, huge, 0), EFAULT);
        FAILS(pwrite(file, bytes, huge, 0), EFAULT);
        FAILS(pread(file, bytes, 10, -1), EINVAL);
        FAILS(pwrite(file, bytes, 10, -1), EINVAL);
        FAILS(preadv(file, &ten, 1, -1), EINVAL);
        FAILS(pwritev(file, &ten, 1, -1), EINVAL);
        FAILS(pread(file, bytes, 10, -5), EINVAL);
        ASSERT_EQ(lseek(file, 0, SEEK_CUR), 3);
    }
    ASSERT_EQ(preadv2(file, &ten, 1, -1, 0), 7);
    ASSERT_EQ(lseek(file, 0, SEEK_END), 10);
    SYS(pipe(pipes));
    nothing_moves(pipes[0], pipes[1]);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    nothing_moves(sockets[0], sockets[1]);
    tcp_pair(sockets);
    nothing_moves(sockets[0], sockets[1]);
    write_all(sockets[0], "x", 1);
    ASSERT_EQ(read(sockets[1], bytes, sizeof bytes), 1);
    nothing_moves(sockets[1], sockets[0]);
    return unused;
}

int main(void)
{
    join(spawn(all, NULL));
    return 0;
}
