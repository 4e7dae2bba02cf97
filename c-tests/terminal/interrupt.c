// ^C on the terminal interrupts a thread's read of it: the handler runs, and the read fails with EINTR or goes on under SA_RESTART.
#include "terminal.h"

static int master;
static _Atomic int handled, failed;

static void count(int number)
{
    ASSERT_EQ(number, SIGINT);
    handled++;
}

static void *reader(void *fd)
{
    char line[16];
    sigset_t set = signal_set(SIGINT);
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    FAILS(read(*(int *)fd, line, sizeof line), EINTR);
    ASSERT_GT(handled, 0);
    failed = 1;
    return NULL;
}

static void *restarted(void *fd)
{
    char line[16];
    sigset_t set = signal_set(SIGINT);
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    ASSERT_EQ(SYS(read(*(int *)fd, line, sizeof line)), 3);
    ASSERT_MEM(line, "go\n", 3);
    return NULL;
}

static int shell(int slave)
{
    sigset_t set = signal_set(SIGINT);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    on_signal(SIGINT, count, 0);
    pthread_t thread = spawn(reader, &slave);
    while (!failed) {
        write_all(master, "\3", 1);
        sleep_ms(5);
    }
    join(thread);
    on_signal(SIGINT, count, SA_RESTART);
    thread = spawn(restarted, &slave);
    let_others_block();
    handled = 0;
    write_all(master, "\3", 1);
    UNTIL(handled == 1);
    write_all(master, "go\n", 3);
    join(thread);
    return 0;
}

int main(void)
{
    ASSERT_EQ(in_session(&master, shell), 0);
    return 0;
}
