// A process that connects a socket it shares, and one that is killed in connect, shows and leaves no O_NONBLOCK on it.
#include "coop-test.h"

static struct sockaddr_in address;
static int shared;

static void *connects(void *unused)
{
    (void)unused;
    connect(shared, (struct sockaddr *)&address, sizeof address);
    return NULL;
}

int main(void)
{
    // A full backlog: what connects now waits.
    int listener = tcp_listener(&address, 0), filler[8];
    (void)listener;
    for (int i = 0; i < 8; i++) {
        filler[i] = SYS(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        connect(filler[i], (struct sockaddr *)&address, sizeof address);
    }
    shared = SYS(socket(AF_INET, SOCK_STREAM, 0));
    int told[2];
    SYS(pipe(told));
    pid_t child = SYS(fork());
    if (child == 0) {
        spawn(connects, NULL);
        write_all(told[1], "x", 1);
        pause_for_ever(NULL);
    }
    char byte;
    ASSERT_EQ(SYS(read(told[0], &byte, 1)), 1);
    for (int i = 0; i < 2000; i++) ASSERT_EQ(SYS(fcntl(shared, F_GETFL)) & O_NONBLOCK, 0);
    let_others_block();
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    ASSERT_EQ(SYS(fcntl(shared, F_GETFL)) & O_NONBLOCK, 0);
    return 0;
}
