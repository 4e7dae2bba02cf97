// A splice that cannot be is refused at once, though its descriptors have nothing to read and no room.
#include "coop-test.h"
#include <sys/eventfd.h>

static void *all(void *unused)
{
    char path[] = "/tmp/coop-splice-XXXXXX";
    int file = SYS(mkstemp(path)), pipes[2], counter = SYS(eventfd(0, 0)), zero = SYS(open("/dev/zero", O_RDONLY));
    int by_path = SYS(open(path, O_PATH)), sockets[2];
    loff_t at = 0;
    SYS(unlink(path));
    SYS(pipe(pipes));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    // Neither is a pipe.
    FAILS(splice(file, NULL, sockets[0], NULL, 1, 0), EINVAL);
    FAILS(splice(sockets[0], NULL, sockets[1], NULL, 1, 0), EINVAL);
    FAILS(splice(counter, NULL, counter, NULL, 1, 0), EINVAL);
    // Not open for that.
    FAILS(splice(pipes[0], NULL, zero, NULL, 1, 0), EBADF);
    FAILS(splice(pipes[0], NULL, by_path, NULL, 1, 0), EBADF);
    FAILS(splice(pipes[1], NULL, file, NULL, 1, 0), EBADF);
    FAILS(splice(file, NULL, pipes[0], NULL, 1, 0), EBADF);
    FAILS(splice(pipes[0], NULL, -1, NULL, 1, 0), EBADF);
    // Not made for it.
    FAILS(splice(pipes[0], NULL, counter, NULL, 1, 0), EINVAL);
    FAILS(splice(counter, NULL, pipes[1], NULL, 1, 0), EINVAL);
    // A pipe has no positions.
    FAILS(splice(pipes[0], &at, file, NULL, 1, 0), ESPIPE);
    FAILS(splice(file, NULL, pipes[1], &at, 1, 0), ESPIPE);
    FAILS(splice(sockets[0], NULL, pipes[1], &at, 1, 0), ESPIPE);
    ASSERT_EQ(splice(file, NULL, pipes[1], NULL, 1, 0), 0);
    write_all(sockets[1], "xy", 2);
    ASSERT_EQ(splice(sockets[0], NULL, pipes[1], NULL, 10, 0), 2);
    at = 5;
    ASSERT_EQ(splice(pipes[0], NULL, file, &at, 10, 0), 2);
    ASSERT_EQ(at, 7);
    return unused;
}

int main(void)
{
    join(spawn(all, NULL));
    all(NULL);
    return 0;
}
