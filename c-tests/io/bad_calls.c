// Bad descriptors, bad buffers and the wrong direction give the kernel's errors from a thread.
#include "coop-test.h"

static void *body(void *unused)
{
    (void)unused;
    int ends[2];
    char byte, *volatile nowhere = (char *)8;
    SYS(pipe(ends));
    FAILS(read(-1, &byte, 1), EBADF);
    FAILS(write(12345, &byte, 1), EBADF);
    FAILS(read(ends[1], &byte, 1), EBADF);
    FAILS(write(ends[0], &byte, 1), EBADF);
    FAILS(close(12345), EBADF);
    FAILS(lseek(ends[0], 0, SEEK_SET), ESPIPE);
    FAILS(pread(ends[0], &byte, 1, 0), ESPIPE);
    FAILS(recv(ends[0], &byte, 1, 0), ENOTSOCK);
    FAILS(accept(ends[0], NULL, NULL), ENOTSOCK);
    SYS(write(ends[1], "x", 1));
    FAILS(read(ends[0], nowhere, 1), EFAULT);
    ASSERT_EQ(SYS(read(ends[0], &byte, 0)), 0);
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    FAILS(write(ends[1], nowhere, 1), EFAULT);
    FAILS(open("/nonexistent/file", O_RDONLY), ENOENT);
    return NULL;
}

int main(void)
{
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
