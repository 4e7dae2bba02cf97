// A thread waits for fanotify's events. Another process waits for its answers.
#include "coop-test.h"
#include <sys/fanotify.h>

static int fd;
static volatile int asked;

static void *judge(void *unused)
{
    for (int left = 3; left > 0;) {
        struct fanotify_event_metadata events[8];
        long size = SYS(read(fd, events, sizeof events));
        for (struct fanotify_event_metadata *event = events; FAN_EVENT_OK(event, size); event = FAN_EVENT_NEXT(event, size)) {
            ASSERT_EQ(event->mask, FAN_OPEN_PERM);
            struct fanotify_response response = {.fd = event->fd, .response = left == 1 ? FAN_DENY : FAN_ALLOW};
            ASSERT_EQ(write(fd, &response, sizeof response), sizeof response);
            SYS(close(event->fd));
            asked++;
            left--;
        }
    }
    return unused;
}

int main(void)
{
    char path[] = "/tmp/coop-test-XXXXXX";
    int file = SYS(mkstemp(path));
    fd = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY);
    if (fd == -1) {
        unlink(path);
        SKIP("fanotify is not permitted");
    }
    pid_t child = SYS(fork());
    if (child == 0) {
        // Another process is asked about: it waits in the kernel.
        sleep_ms(30);
        for (int i = 0; i < 2; i++) SYS(close(SYS(open(path, O_RDONLY))));
        FAILS(open(path, O_RDONLY), EPERM);
        _exit(0);
    }
    SYS(close(file));
    if (fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, path) == -1) {
        unlink(path);
        kill(child, SIGKILL);
        SKIP("no permission events in this kernel");
    }
    pthread_t thread = spawn(judge, NULL);
    ASSERT_EQ(finish(child), 0);
    join(thread);
    ASSERT_EQ(asked, 3);
    SYS(close(fd));
    SYS(unlink(path));
    return 0;
}
