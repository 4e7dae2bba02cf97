// A signal ends the open of a FIFO with EINTR, or under SA_RESTART lets it go on.
#include "coop-test.h"

static _Atomic int handled, failed, opened;

static void count(int number)
{
    (void)number;
    handled++;
}

static void *interrupted(void *unused)
{
    (void)unused;
    FAILS(open("fifo", O_RDONLY), EINTR);
    failed = 1;
    return NULL;
}

static void *restarted(void *unused)
{
    (void)unused;
    int fd = SYS(open("fifo", O_RDONLY));
    opened = 1;
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    SYS(mkfifo("fifo", 0600));
    on_signal(SIGUSR1, count, 0);
    pthread_t thread = spawn(interrupted, NULL);
    let_others_block();
    while (!failed) {
        pthread_kill(thread, SIGUSR1);
        sleep_ms(2);
    }
    join(thread);
    ASSERT_GT(handled, 0);

    handled = 0;
    on_signal(SIGUSR1, count, SA_RESTART);
    thread = spawn(restarted, NULL);
    let_others_block();
    for (int i = 1; i <= 3; i++) {
        OK(pthread_kill(thread, SIGUSR1));
        UNTIL(handled == i);
    }
    ASSERT_EQ(opened, 0);
    SYS(close(SYS(open("fifo", O_WRONLY))));
    join(thread);
    SYS(unlink("fifo"));
    return 0;
}
