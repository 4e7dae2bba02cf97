// A send of which part has gone when the peer resets the connection gives that part; the error is the next call's, and SIGPIPE's turn is
// after that. So it is with a receive that waits for all.
#include "coop-test.h"

static int pair[2];
enum { LARGE = 32 << 20 };

static void reset_peer(void)
{
    struct linger now = {.l_onoff = 1};
    SYS(setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &now, sizeof now));
    SYS(close(pair[1]));
}

static void *sender(void *unused)
{
    char *bytes = calloc(1, LARGE);
    long sent = SYS(send(pair[0], bytes, LARGE, 0));
    ASSERT_GT(sent, 0);
    ASSERT_LT(sent, LARGE);
    FAILS(send(pair[0], bytes, 1, 0), ECONNRESET);
    FAILS(send(pair[0], bytes, 1, MSG_NOSIGNAL), EPIPE);
    free(bytes);
    return unused;
}

static void *receiver(void *unused)
{
    char bytes[10];
    ASSERT_EQ(recv(pair[0], bytes, sizeof bytes, MSG_WAITALL), 4);
    FAILS(recv(pair[0], bytes, sizeof bytes, MSG_WAITALL), ECONNRESET);
    ASSERT_EQ(recv(pair[0], bytes, sizeof bytes, MSG_WAITALL), 0);
    return unused;
}

int main(void)
{
    char bytes[1000];
    tcp_pair(pair);
    pthread_t thread = spawn(sender, NULL);
    ASSERT_EQ(read_all(pair[1], bytes, sizeof bytes), sizeof bytes);
    let_others_block();
    reset_peer();
    join(thread);

    tcp_pair(pair);
    thread = spawn(receiver, NULL);
    write_all(pair[1], "four", 4);
    let_others_block();
    reset_peer();
    join(thread);
    return 0;
}
