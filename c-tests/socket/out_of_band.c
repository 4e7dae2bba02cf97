// Urgent data: recv with MSG_OOB never waits, POLLPRI tells, and the stream goes on without it.
#include "coop-test.h"
#include <sys/ioctl.h>

static int pair[2];

static void *receiver(void *unused)
{
    char bytes[8];
    FAILS(recv(pair[0], bytes, 1, MSG_OOB), EINVAL);
    struct pollfd urgent = {.fd = pair[0], .events = POLLPRI};
    ASSERT_EQ(poll(&urgent, 1, -1), 1);
    ASSERT_EQ(urgent.revents & POLLPRI, POLLPRI);
    ASSERT_EQ(recv(pair[0], bytes, 1, MSG_OOB), 1);
    ASSERT_EQ(bytes[0], '!');
    FAILS(recv(pair[0], bytes, 1, MSG_OOB), EINVAL);
    ASSERT_EQ(recv(pair[0], bytes, 8, MSG_WAITALL), 4);
    int at_mark;
    SYS(ioctl(pair[0], SIOCATMARK, &at_mark));
    ASSERT_EQ(at_mark, 1);
    ASSERT_EQ(recv(pair[0], bytes, 8, 0), 4);
    ASSERT_MEM(bytes, "next", 4);
    return unused;
}

int main(void)
{
    tcp_pair(pair);
    pthread_t thread = spawn(receiver, NULL);
    let_others_block();
    write_all(pair[1], "data", 4);
    SYS(send(pair[1], "!", 1, MSG_OOB));
    let_others_block();
    write_all(pair[1], "next", 4);
    join(thread);
    return 0;
}
