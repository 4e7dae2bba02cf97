// O_SYNC and O_DSYNC files: writes of several threads, by position and at the end, are all there.
#include "coop-test.h"
#include <sys/uio.h>

static int log_fd, table_fd;

static void *body(void *argument)
{
    int me = (int)(intptr_t)argument;
    char line[16];
    for (int i = 0; i < 5; i++) {
        int size = snprintf(line, sizeof line, "%02d %02d\n", me, i);
        struct iovec part = {line, (size_t)size};
        ASSERT_EQ(SYS(write(log_fd, line, (size_t)size)), size);
        ASSERT_EQ(SYS(pwritev(table_fd, &part, 1, (me * 5 + i) * 6)), size);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[6];
    char line[7] = "", wanted[16];
    log_fd = SYS(open("log", O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_SYNC, 0600));
    table_fd = SYS(open("table", O_RDWR | O_CREAT | O_TRUNC | O_DSYNC, 0600));
    for (intptr_t i = 0; i < 6; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < 6; i++) join(threads[i]);
    int next[6] = {0};
    for (int i = 0; i < 30; i++) {
        ASSERT_EQ(SYS(pread(log_fd, line, 6, i * 6)), 6);
        int me = atoi(line);
        ASSERT_EQ(atoi(line + 3), next[me]++);
        ASSERT_EQ(SYS(pread(table_fd, line, 6, i * 6)), 6);
        snprintf(wanted, sizeof wanted, "%02d %02d\n", i / 5, i % 5);
        ASSERT_STR(line, wanted);
    }
    return 0;
}
