// Every new descriptor gets the lowest free number, whatever waits meanwhile.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int ends[2];

static void *reader(void *unused)
{
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return unused;
}

static void *waiter(void *child)
{
    ASSERT_EQ(finish((pid_t)(intptr_t)child), 0);
    return NULL;
}

int main(void)
{
    // Whatever the runner left open is not what this is about.
    for (int fd = 3; fd < 2048; fd++) close(fd);
    SYS(pipe(ends));
    pthread_t first = spawn(reader, NULL);
    until_others_wait();
    pid_t child = SYS(fork());
    if (child == 0) {
        sleep_ms(100);
        _exit(0);
    }
    pthread_t second = spawn(waiter, (void *)(intptr_t)child);
    until_others_wait();
    printf("%lld %lld %lld\n", SYS(epoll_create1(0)), SYS(eventfd(0, 0)), SYS(dup(0)));
    SYS(close(5));
    printf("%lld\n", SYS(open("/dev/null", O_RDONLY)));
    write_all(ends[1], "x", 1);
    join(first);
    join(second);
    printf("%lld\n", SYS(dup(0)));
    return 0;
}
