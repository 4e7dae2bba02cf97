// Threads wait for inotify's events, one of them without blocking; a read gets whole events, and too small a buffer is an error.
#include "coop-test.h"
#include <sys/inotify.h>

static int fd, made;

static void *watcher(void *unused)
{
    union { struct inotify_event event; char space[sizeof(struct inotify_event) + NAME_MAX + 1]; } buffer;
    long size = SYS(read(fd, &buffer, sizeof(struct inotify_event) + NAME_MAX + 1));
    ASSERT_GE(size, (long)sizeof buffer.event);
    for (long at = 0; at < size;) {
        struct inotify_event *event = (void *)((char *)&buffer + at);
        ASSERT_EQ(event->mask, IN_CREATE);
        ASSERT_EQ(event->name[0], 'f');
        __atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
        at += sizeof *event + event->len;
    }
    return unused;
}

int main(void)
{
    char folder[] = "/tmp/coop-test-XXXXXX", path[64];
    ASSERT(mkdtemp(folder) != NULL);
    fd = SYS(inotify_init1(0));
    SYS(inotify_add_watch(fd, folder, IN_CREATE));
    for (int i = 0; i < 5; i++) {
        pthread_t thread = spawn(watcher, NULL);
        let_others_block();
        snprintf(path, sizeof path, "%s/f%d", folder, i);
        SYS(close(SYS(open(path, O_CREAT | O_WRONLY, 0600))));
        join(thread);
        ASSERT_EQ(made, i + 1);
        if (i < 4) SYS(unlink(path));
    }
    SYS(unlink(path));
    SYS(close(SYS(open(path, O_CREAT | O_WRONLY, 0600))));
    char little[4];
    FAILS(read(fd, little, sizeof little), EINVAL);
    watcher(NULL);
    SYS(fcntl(fd, F_SETFL, O_NONBLOCK));
    FAILS(read(fd, path, sizeof path), EAGAIN);
    snprintf(path, sizeof path, "%s/f4", folder);
    SYS(unlink(path));
    SYS(rmdir(folder));
    return 0;
}
