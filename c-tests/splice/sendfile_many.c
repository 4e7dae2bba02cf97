// 40 threads send a file to slow readers, each in one blocking sendfile that ends when all is sent; others run meanwhile.
// timeout: 60
#include "coop-test.h"
#include <sys/sendfile.h>

enum { SENDERS = 40, SIZE = 5 << 20 };
static int file, pairs[SENDERS][2];

static void *sender(void *pair)
{
    off_t offset = 7;
    ASSERT_EQ(sendfile(((int *)pair)[0], file, &offset, SIZE), SIZE - 7);
    ASSERT_EQ(offset, SIZE);
    ASSERT_EQ(sendfile(((int *)pair)[0], file, &offset, SIZE), 0);
    SYS(close(((int *)pair)[0]));
    return NULL;
}

int main(void)
{
    static unsigned char bytes[SIZE];
    file = fileno(tmpfile());
    for (int i = 0; i < SIZE; i++) bytes[i] = pattern(i);
    write_all(file, bytes, SIZE);
    pthread_t threads[SENDERS];
    for (int i = 0; i < SENDERS; i++) {
        if (i % 2)
            tcp_pair(pairs[i]);
        else
            SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]));
        threads[i] = spawn(sender, pairs[i]);
    }
    let_others_block();
    for (int i = 0; i < SENDERS; i++) {
        ASSERT_EQ(read_all(pairs[i][1], bytes, SIZE), SIZE - 7);
        for (int at = 0; at < SIZE - 7; at += 1009) ASSERT_EQ(bytes[at], pattern(at + 7));
        SYS(close(pairs[i][1]));
        join(threads[i]);
    }
    return 0;
}
