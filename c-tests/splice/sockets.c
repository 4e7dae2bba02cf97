// splice from a socket through a pipe to another: a proxy of two calls, which waits for its slow ends and ends with the stream.
#include "coop-test.h"

enum { TOTAL = 3 << 20 };
static int client[2], server[2];

static void *proxy(void *unused)
{
    int pipes[2];
    SYS(pipe(pipes));
    for (;;) {
        long n = SYS(splice(client[1], NULL, pipes[1], NULL, 1 << 16, SPLICE_F_MOVE));
        if (n == 0) break;
        while (n > 0) n -= SYS(splice(pipes[0], NULL, server[0], NULL, n, SPLICE_F_MOVE));
    }
    SYS(shutdown(server[0], SHUT_WR));
    return unused;
}

static void *writer(void *unused)
{
    static unsigned char bytes[TOTAL];
    for (int i = 0; i < TOTAL; i++) bytes[i] = pattern(i);
    let_others_block();
    write_all(client[0], bytes, TOTAL);
    SYS(shutdown(client[0], SHUT_WR));
    return unused;
}

int main(void)
{
    tcp_pair(client);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, server));
    pthread_t threads[] = {spawn(proxy, NULL), spawn(writer, NULL)};
    let_others_block();
    static unsigned char bytes[1 << 16];
    for (int done = 0; done < TOTAL; done += sizeof bytes) {
        ASSERT_EQ(read_all(server[1], bytes, sizeof bytes), sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i += 97) ASSERT_EQ(bytes[i], pattern(done + i));
    }
    ASSERT_EQ(read(server[1], bytes, 1), 0);
    for (int i = 0; i < 2; i++) join(threads[i]);
    return 0;
}
