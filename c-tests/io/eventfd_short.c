// A read of an eventfd into fewer than eight bytes is EINVAL at once, also where it would wait.
#include "coop-test.h"
#include <sys/eventfd.h>

static void *reads(void *unused)
{
    char bytes[8];
    int fd = SYS(eventfd(0, 0));
    FAILS(read(fd, bytes, 7), EINVAL);
    FAILS(write(fd, bytes, 7), EINVAL);
    return unused;
}

int main(void)
{
    join(spawn(reads, NULL));
    return 0;
}
