// MSG_ZEROCOPY: a blocking send of more than fits is one send, with one completion, as the program counts them.
#include "coop-test.h"
#include <linux/errqueue.h>

enum { LARGE = 8 << 20, SENDS = 3 };
static int pair[2];

static void *reader(void *unused)
{
    static char bytes[1 << 16];
    long got = 0;
    while (got < (long)LARGE * SENDS) got += SYS(read(pair[1], bytes, sizeof bytes));
    return unused;
}

int main(void)
{
    tcp_pair(pair);
    int on = 1;
    if (setsockopt(pair[0], SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == -1) SKIP("no SO_ZEROCOPY");
    char *bytes = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t thread = spawn(reader, NULL);
    for (int i = 0; i < SENDS; i++) {
        long sent = send(pair[0], bytes, LARGE, MSG_ZEROCOPY);
        if (sent == -1 && errno == ENOBUFS) SKIP("too little memory may be locked (optmem_max)");
        ASSERT_EQ(sent, LARGE);
    }
    join(thread);
    unsigned completed = 0;
    while (completed < SENDS) {
        char control[256];
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(pair[0], &message, MSG_ERRQUEUE) == -1) {
            ASSERT_EQ(errno, EAGAIN);
            struct pollfd error = {.fd = pair[0]};
            SYS(poll(&error, 1, -1));
            continue;
        }
        struct sock_extended_err *report = (void *)CMSG_DATA(CMSG_FIRSTHDR(&message));
        ASSERT_EQ(report->ee_origin, SO_EE_ORIGIN_ZEROCOPY);
        ASSERT_EQ(report->ee_info, completed);
        completed = report->ee_data + 1;
    }
    ASSERT_EQ(completed, SENDS);
    return 0;
}
