// /proc/thread-self and /proc/ID are the calling thread: its name, also after a change, and its id; and a queued signal 0 only asks whether it is there.
#include "coop-test.h"

static void says(const char *path, const char *expected)
{
    char text[256];
    int fd = SYS(open(path, O_RDONLY));
    ssize_t size = SYS(read(fd, text, sizeof text - 1));
    SYS(close(fd));
    text[size] = 0;
    if (strncmp(text, expected, strlen(expected)) != 0) FAIL("%s says %s, not %s", path, text, expected);
}

static void *itself(void *name)
{
    OK(pthread_setname_np(pthread_self(), name));
    char line[64], id[32];
    snprintf(line, sizeof line, "%s\n", (char *)name);
    says("/proc/thread-self/comm", line);
    snprintf(id, sizeof id, "%d (%s) ", my_tid(), (char *)name);
    says("/proc/thread-self/stat", id);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", my_tid());
    says(path, line);
    snprintf(path, sizeof path, "/proc/%d/stat", my_tid());
    says(path, id);
    int fd = SYS(open("/proc/thread-self/comm", O_WRONLY));
    write_all(fd, "written", 7);
    SYS(close(fd));
    char now[16];
    OK(pthread_getname_np(pthread_self(), now, sizeof now));
    ASSERT_STR(now, "written");
    says("/proc/thread-self/comm", "written\n");

    siginfo_t info = {.si_code = SI_QUEUE};
    SYS(syscall(SYS_rt_tgsigqueueinfo, getpid(), my_tid(), 0, &info));
    FAILS(syscall(SYS_rt_tgsigqueueinfo, getpid(), my_tid(), 65, &info), EINVAL);
    return NULL;
}

int main(void)
{
    itself("alone");
    pthread_t threads[4];
    char names[4][16];
    for (int i = 0; i < 4; i++) {
        snprintf(names[i], sizeof names[i], "number-%d", i);
        threads[i] = spawn(itself, names[i]);
    }
    itself("main");
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
