// The peer's close ends a waiting recv with 0; a reset ends it with ECONNRESET.
#include "coop-test.h"

static int pair[2];

static void *read_end(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(SYS(recv(pair[0], &byte, 1, 0)), 0);
    return NULL;
}

static void *read_reset(void *unused)
{
    (void)unused;
    char byte;
    FAILS(recv(pair[0], &byte, 1, 0), ECONNRESET);
    return NULL;
}

int main(void)
{
    tcp_pair(pair);
    pthread_t thread = spawn(read_end, NULL);
    let_others_block();
    SYS(close(pair[1]));
    join(thread);
    tcp_pair(pair);
    thread = spawn(read_reset, NULL);
    let_others_block();
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    SYS(setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    SYS(close(pair[1]));
    join(thread);
    return 0;
}
