// A world of its own: loopback and /etc files that only this process sees.
#ifndef NAMESPACE_H
#define NAMESPACE_H

#include "coop-test.h"
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>


static inline void enter_namespaces(void)
{
    int flags = CLONE_NEWNS | CLONE_NEWNET;
    if (geteuid() != 0) flags |= CLONE_NEWUSER;
    if (unshare(flags) == -1) SKIP("unshare is not permitted");
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1) SKIP("mount is not permitted");
    struct ifreq loopback = {.ifr_name = "lo"};
    int fd = SYS(socket(AF_INET, SOCK_DGRAM, 0));
    SYS(ioctl(fd, SIOCGIFFLAGS, &loopback));
    loopback.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &loopback) == -1) SKIP("the loopback device cannot be set up");
    SYS(close(fd));
}

// Shows a text where a file of /etc is.
static inline void show(const char *path, const char *text)
{
    char file[] = "/tmp/coop-test-XXXXXX";
    int fd = SYS(mkstemp(file));
    write_all(fd, text, strlen(text));
    SYS(fchmod(fd, 0644));
    SYS(close(fd));
    int failed = mount(file, path, NULL, MS_BIND, NULL);
    SYS(unlink(file));
    if (failed) {
        perror(path);
        SKIP("bind mounts are not permitted");
    }
}

#endif
