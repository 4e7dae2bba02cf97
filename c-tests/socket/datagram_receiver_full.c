// A Unix datagram's sender waits while its receiver is full, whether it is connected to it or names it with each message.
#include "coop-test.h"
#include <sys/un.h>

enum { MESSAGES = 3000, SENDERS = 4 };
static int receiver;
static struct sockaddr_un address;
static socklen_t size;

static void *sender(void *named)
{
    int fd = SYS(socket(AF_UNIX, SOCK_DGRAM, 0));
    if (!named) SYS(connect(fd, (struct sockaddr *)&address, size));
    struct iovec vector = {"hello", 5};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_name = named ? &address : NULL, .msg_namelen = named ? size : 0};
    for (int i = 0; i < MESSAGES; i++)
        ASSERT_EQ(i % 2 ? sendmsg(fd, &message, 0)
                        : sendto(fd, "hello", 5, 0, named ? (struct sockaddr *)&address : NULL, named ? size : 0), 5);
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    receiver = SYS(socket(AF_UNIX, SOCK_DGRAM, 0));
    address.sun_family = AF_UNIX;
    size = sizeof(sa_family_t);
    SYS(bind(receiver, (struct sockaddr *)&address, size));
    size = sizeof address;
    SYS(getsockname(receiver, (struct sockaddr *)&address, &size));
    pthread_t threads[SENDERS];
    for (int i = 0; i < SENDERS; i++) threads[i] = spawn(sender, i % 2 ? "named" : NULL);
    let_others_block();
    for (int i = 0; i < MESSAGES * SENDERS; i++) {
        char bytes[8];
        ASSERT_EQ(recv(receiver, bytes, sizeof bytes, 0), 5);
    }
    for (int i = 0; i < SENDERS; i++) join(threads[i]);
    char bytes[8];
    FAILS(recv(receiver, bytes, sizeof bytes, MSG_DONTWAIT), EAGAIN);
    return 0;
}
