// MSG_PEEK with MSG_WAITALL waits until all is there, takes nothing, and is short only at the end of the stream.
#include "coop-test.h"

static int pair[2];

static void *peeker(void *unused)
{
    char bytes[10];
    ASSERT_EQ(recv(pair[0], bytes, 10, MSG_PEEK | MSG_WAITALL), 10);
    ASSERT_MEM(bytes, "helloworld", 10);
    ASSERT_EQ(recv(pair[0], bytes, 10, MSG_WAITALL), 10);
    ASSERT_MEM(bytes, "helloworld", 10);
    ASSERT_EQ(recv(pair[0], bytes, 10, MSG_PEEK | MSG_WAITALL), 3);
    ASSERT_EQ(recv(pair[0], bytes, 10, MSG_WAITALL), 3);
    ASSERT_EQ(recv(pair[0], bytes, 10, MSG_WAITALL), 0);
    return unused;
}

int main(void)
{
    tcp_pair(pair);
    pthread_t thread = spawn(peeker, NULL);
    let_others_block();
    write_all(pair[1], "hello", 5);
    let_others_block();
    write_all(pair[1], "world", 5);
    let_others_block();
    write_all(pair[1], "end", 3);
    let_others_block();
    SYS(close(pair[1]));
    join(thread);
    return 0;
}
