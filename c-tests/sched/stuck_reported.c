// With COOP_LOG=warn a call that held up its hub is named in the log, once for each place that makes it.
// only: preloaded
// env: COOP_LOG=warn
// env: COOP_LOG_FILE=log
#include "uffd.h"

static int pipe_fd[2];

static void *caller(void *page)
{
    OK(pthread_setname_np(pthread_self(), "the-caller"));
    SYS(ioctl(pipe_fd[0], FIONREAD, page));
    return NULL;
}

// How often a text is in the log.
static int logged(const char *what)
{
    static char text[1 << 16];
    int fd = SYS(open("log", O_RDONLY | O_CREAT, 0600));
    text[read_all(fd, text, sizeof text - 1)] = 0;
    SYS(close(fd));
    int times = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++) times++;
    return times;
}

int main(void)
{
    SYS(pipe(pipe_fd));
    // A later run of this test finds an earlier one's log.
    int before = logged("(the-caller) holds hub");
    for (int round = 0; round < 2; round++) {
        char *page = uffd_page();
        pthread_t thread = spawn(caller, page);
        uffd_wait();
        UNTIL(logged("(the-caller) holds hub") == before + 1);
        sleep_ms(20);
        uffd_fill(page, 'x');
        join(thread);
    }
    ASSERT_EQ(logged("(the-caller) holds hub") - before, 1);
    ASSERT_GE(logged("in ioctl for over 10 ms, called at test+0x"), 1);
    return 0;
}
