// A handler with SA_RESTART lets a waiting call go on: read, recv, accept, waitpid return what they waited for.
#include "coop-test.h"

#define CALLS 4

static int ends[2], pair[2], gate[2], listener;
static pid_t child;
static _Atomic int handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *body(void *argument)
{
    char byte;
    switch ((intptr_t)argument) {
    case 0: ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1); break;
    case 1: ASSERT_EQ(SYS(recv(pair[0], &byte, 1, 0)), 1); break;
    case 2: SYS(accept(listener, NULL, NULL)); break;
    case 3: ASSERT_EQ(finish(child), 8); break;
    }
    return NULL;
}

int main(void)
{
    char byte;
    struct sockaddr_in address;
    pthread_t threads[CALLS];
    SYS(pipe(ends));
    SYS(pipe(gate));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    listener = tcp_listener(&address, 1);
    child = SYS(fork());
    if (child == 0) {
        SYS(read(gate[0], &byte, 1));
        _exit(8);
    }
    on_signal(SIGUSR1, handler, SA_RESTART);
    for (intptr_t i = 0; i < CALLS; i++) threads[i] = spawn(body, (void *)i);
    let_others_block();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < CALLS; i++) {
            int before = handled;
            OK(pthread_kill(threads[i], SIGUSR1));
            UNTIL(handled > before);
        }
    }
    SYS(write(ends[1], "x", 1));
    SYS(write(pair[1], "x", 1));
    SYS(write(gate[1], "x", 1));
    tcp_connect(&address);
    for (int i = 0; i < CALLS; i++) join(threads[i]);
    return 0;
}
