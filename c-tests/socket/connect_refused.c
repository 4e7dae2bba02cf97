// connect to a port without a listener is ECONNREFUSED, in 20 threads at once; the socket can be used again.
#include "coop-test.h"

static struct sockaddr_in closed, open_;

static void *body(void *unused)
{
    (void)unused;
    int fd = SYS(socket(AF_INET, SOCK_STREAM, 0));
    FAILS(connect(fd, (struct sockaddr *)&closed, sizeof closed), ECONNREFUSED);
    SYS(connect(fd, (struct sockaddr *)&open_, sizeof open_));
    FAILS(connect(fd, (struct sockaddr *)&open_, sizeof open_), EISCONN);
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    // Bound, but not listening: nobody else can take the port.
    socklen_t size = sizeof closed;
    closed.sin_family = AF_INET;
    closed.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int reserved = SYS(socket(AF_INET, SOCK_STREAM, 0));
    SYS(bind(reserved, (struct sockaddr *)&closed, size));
    SYS(getsockname(reserved, (struct sockaddr *)&closed, &size));
    tcp_listener(&open_, 50);
    pthread_t threads[20];
    for (int i = 0; i < 20; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 20; i++) join(threads[i]);
    return 0;
}
