// 700 threads connect to a Unix listener with a backlog of one, more than there are pool threads for brief calls; all get through.
// timeout: 60
#include "coop-test.h"
#include <sys/un.h>

enum { CLIENTS = 700 };
static struct sockaddr_un address;
static socklen_t size = sizeof(sa_family_t);

static void *client(void *unused)
{
    char byte;
    int fd = SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    SYS(connect(fd, (struct sockaddr *)&address, size));
    ASSERT_EQ(read(fd, &byte, 1), 1);
    SYS(close(fd));
    return unused;
}

int main(void)
{
    static pthread_t threads[CLIENTS];
    address.sun_family = AF_UNIX;
    int listener = SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    SYS(bind(listener, (struct sockaddr *)&address, size));
    size = sizeof address;
    SYS(getsockname(listener, (struct sockaddr *)&address, &size));
    SYS(listen(listener, 1));
    for (int i = 0; i < CLIENTS; i++) threads[i] = spawn_small(client, NULL);
    let_others_block();
    for (int i = 0; i < CLIENTS; i++) {
        int fd = SYS(accept(listener, NULL, NULL));
        write_all(fd, "x", 1);
        SYS(close(fd));
    }
    for (int i = 0; i < CLIENTS; i++) join(threads[i]);
    return 0;
}
