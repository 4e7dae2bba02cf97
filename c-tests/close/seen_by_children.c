// A forked child and a program that it executes find the descriptors open that they find natively.
#include "coop-test.h"
#include <dirent.h>

static void *pauses(void *unused)
{
    return pause_for_ever(unused);
}

static void list(const char *who)
{
    DIR *folder = opendir("/proc/self/fd");
    ASSERT(folder != NULL);
    int open[64] = {0};
    for (struct dirent *entry; (entry = readdir(folder));) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(folder)) continue;
        if (fd >= 64) FAIL("%s: %d is open", who, fd);
        open[fd] = 1;
    }
    for (int fd = 0; fd < 64; fd++)
        if (open[fd]) printf("%s %d\n", who, fd);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        list("executed");
        return 0;
    }
    // Whatever the runner left open is not what this is about.
    for (int fd = 3; fd < 2048; fd++) close(fd);
    SYS(dup2(0, 20));
    SYS(dup3(0, 21, O_CLOEXEC));
    spawn(pauses, NULL);
    until_others_wait();
    pid_t child = SYS(fork());
    if (child == 0) {
        list("forked");
        execl("/proc/self/exe", argv[0], "again", NULL);
        _exit(2);
    }
    ASSERT_EQ(finish(child), 0);
    return 0;
}
