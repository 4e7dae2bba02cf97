// A descriptor that one thread has waited on, that another takes over for many messages, and that the first
// waits on again: it is told of what comes then, and of what has come before.
#include "coop-test.h"

enum { MESSAGES = 200, ROUNDS = 5 };

// To the peer process, which answers each byte, after a while if it is asked for that.
static int connection;
static pthread_barrier_t handed;

static void peer(int fd)
{
    char byte;
    while (SYS(read(fd, &byte, 1)) == 1) {
        if (byte == 's') sleep_ms(20);
        SYS(write(fd, &byte, 1));
    }
    _exit(0);
}

static void ask(char byte)
{
    SYS(write(connection, &byte, 1));
}

static void wait_for(char byte)
{
    // More room than there is data, so that nothing more is expected.
    char got[16];
    ASSERT_EQ(SYS(read(connection, got, sizeof got)), 1);
    ASSERT_EQ(got[0], byte);
}

static void *other(void *unused)
{
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&handed);
        for (int i = 0; i < MESSAGES; i++) {
            ask('o');
            wait_for('o');
        }
        pthread_barrier_wait(&handed);
    }
    return NULL;
}

static void polls(void)
{
    struct pollfd entry = {connection, POLLIN, 0};
    ASSERT_EQ(SYS(poll(&entry, 1, -1)), 1);
    ASSERT_EQ(entry.revents, POLLIN);
}

static void takes_turns(int fd)
{
    connection = fd;
    OK(pthread_barrier_init(&handed, NULL, 2));
    pthread_t thread = spawn(other, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        ask('s');
        wait_for('s');
        pthread_barrier_wait(&handed);
        pthread_barrier_wait(&handed);
        // Later than the wait begins.
        ask('s');
        wait_for('s');
        ask('s');
        polls();
        wait_for('s');
        // Before it begins.
        ask('o');
        sleep_ms(20);
        polls();
        wait_for('o');
    }
    join(thread);
    OK(pthread_barrier_destroy(&handed));
    SYS(close(fd));
}

static void serves(int fd[2])
{
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(close(fd[0]));
        peer(fd[1]);
    }
    SYS(close(fd[1]));
    takes_turns(fd[0]);
    ASSERT_EQ(finish(child), 0);
}

int main(void)
{
    int pair[2];
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    serves(pair);
    tcp_pair(pair);
    serves(pair);
    return 0;
}
