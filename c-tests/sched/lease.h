// A file whose opening for writing waits until a lease on it is given up.
#ifndef LEASE_H
#define LEASE_H

#include "coop-test.h"

static char lease_path[64];
static int lease_fd;

static void lease_asked(int number)
{
    (void)number;
}

static inline void lease_take(void)
{
    on_signal(SIGIO, lease_asked, SA_RESTART);
    snprintf(lease_path, sizeof lease_path, "/dev/shm/coop-lease-%d", getpid());
    close(SYS(open(lease_path, O_CREAT | O_EXCL | O_RDWR, 0600)));
    lease_fd = SYS(open(lease_path, O_RDONLY));
    if (fcntl(lease_fd, F_SETLEASE, F_RDLCK) == -1) {
        unlink(lease_path);
        SKIP("no leases on files in /dev/shm");
    }
}

// True once somebody waits for the file.
static inline int lease_wanted(void)
{
    return fcntl(lease_fd, F_GETLEASE) == F_UNLCK;
}

static inline void lease_give_up(void)
{
    SYS(fcntl(lease_fd, F_SETLEASE, F_UNLCK));
    SYS(unlink(lease_path));
}

#endif
