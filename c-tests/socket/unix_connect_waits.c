// connect to a Unix socket whose queue is full waits for an accept; non-blocking it is EAGAIN.
#include "coop-test.h"
#include <sys/un.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};

static void *client(void *unused)
{
    (void)unused;
    int fd = SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    SYS(connect(fd, (struct sockaddr *)&address, sizeof address));
    return (void *)(intptr_t)fd;
}

int main(void)
{
    int listener = SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    SYS(bind(listener, (struct sockaddr *)&address, sizeof address));
    SYS(listen(listener, 0));
    SYS(close((int)(intptr_t)client(NULL)));
    int impatient = SYS(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    FAILS(connect(impatient, (struct sockaddr *)&address, sizeof address), EAGAIN);

    pthread_t thread = spawn(client, NULL);
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    SYS(close(SYS(accept(listener, NULL, NULL))));
    int server = SYS(accept(listener, NULL, NULL)), fd = (int)(intptr_t)join(thread);
    SYS(close(server));
    char byte;
    ASSERT_EQ(SYS(read(fd, &byte, 1)), 0);
    return 0;
}
