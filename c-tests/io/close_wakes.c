// With COOP_CLOSE=wake, closing a descriptor ends the waits on it with EBADF: read, recv and accept.
// only: preloaded
// env: COOP_CLOSE=wake
#include "coop-test.h"

static int ends[2], pair[2], listener;

static void *body(void *argument)
{
    char byte;
    switch ((intptr_t)argument) {
    case 0: FAILS(read(ends[0], &byte, 1), EBADF); break;
    case 1: FAILS(recv(pair[0], &byte, 1, 0), EBADF); break;
    case 2: FAILS(accept(listener, NULL, NULL), EBADF); break;
    }
    return NULL;
}

int main(void)
{
    struct sockaddr_in address;
    SYS(pipe(ends));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    listener = tcp_listener(&address, 1);
    pthread_t threads[3];
    for (intptr_t i = 0; i < 3; i++) threads[i] = spawn(body, (void *)i);
    let_others_block();
    SYS(close(ends[0]));
    SYS(close(pair[0]));
    SYS(close(listener));
    for (int i = 0; i < 3; i++) join(threads[i]);
    return 0;
}
