// An ioctl that waits holds up no other thread, whatever device it is for, and gives its result in the end.
#include "uffd.h"
#include <sys/ioctl.h>

static int *count;
static int pipe_fd[2];

static void *caller(void *unused)
{
    (void)unused;
    SYS(ioctl(pipe_fd[0], FIONREAD, count));
    ASSERT_EQ(my_tid() == getpid(), 0);
    return NULL;
}

int main(void)
{
    char *page = uffd_page();
    count = (int *)page;
    SYS(pipe(pipe_fd));
    write_all(pipe_fd[1], "12345", 5);
    pthread_t thread = spawn(caller, NULL);
    uffd_wait();
    sleep_ms(20);
    uffd_fill(page, 'x');
    join(thread);
    ASSERT_EQ(*count, 5);
    return 0;
}
