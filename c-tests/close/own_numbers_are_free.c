// To the program, numbers that it did not open are not open: fcntl and close say EBADF, and a scan finds nothing.
#include "coop-test.h"

static void *pauses(void *unused)
{
    return pause_for_ever(unused);
}

int main(void)
{
    for (int fd = 3; fd < 2048; fd++) close(fd);
    spawn(pauses, NULL);
    until_others_wait();
    for (int fd = 3; fd < 2048; fd++) {
        FAILS(fcntl(fd, F_GETFD), EBADF);
        FAILS(fcntl(fd, F_GETFL), EBADF);
        FAILS(close(fd), EBADF);
    }
    return 0;
}
