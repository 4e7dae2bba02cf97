// MSG_PEEK leaves the bytes, MSG_WAITALL waits for all of them or the end, MSG_DONTWAIT does not wait.
#include "coop-test.h"

static int pair[2];

static void *wait_for_all(void *unused)
{
    (void)unused;
    char bytes[10];
    ASSERT_EQ(SYS(recv(pair[0], bytes, 10, MSG_WAITALL)), 10);
    ASSERT_MEM(bytes, "0123456789", 10);
    ASSERT_EQ(SYS(recv(pair[0], bytes, 10, MSG_WAITALL)), 4);
    return NULL;
}

static void *peek(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(SYS(recv(pair[0], &byte, 1, MSG_PEEK)), 1);
    return (void *)(intptr_t)byte;
}

int main(void)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        char byte;
        if (tcp) tcp_pair(pair);
        else SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        FAILS(recv(pair[0], &byte, 1, MSG_DONTWAIT), EAGAIN);
        FAILS(recv(pair[0], &byte, 1, MSG_DONTWAIT | MSG_PEEK), EAGAIN);
        pthread_t thread = spawn(peek, NULL);
        let_others_block();
        SYS(send(pair[1], "p", 1, 0));
        ASSERT_EQ((intptr_t)join(thread), 'p');
        ASSERT_EQ(SYS(recv(pair[0], &byte, 1, MSG_DONTWAIT)), 1);
        ASSERT_EQ(byte, 'p');

        thread = spawn(wait_for_all, NULL);
        for (int i = 0; i < 10; i += 5) {
            let_others_block();
            SYS(send(pair[1], "0123456789" + i, 5, 0));
        }
        let_others_block();
        SYS(send(pair[1], "rest", 4, 0));
        SYS(shutdown(pair[1], SHUT_WR));
        join(thread);
        SYS(close(pair[0]));
        SYS(close(pair[1]));
    }
    return 0;
}
