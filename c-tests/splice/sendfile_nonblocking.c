// sendfile to a socket that does not block: what fits, then EAGAIN; from an event loop of one thread beside others, all of it arrives.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/sendfile.h>

enum { SIZE = 8 << 20 };
static int file, pair[2];

static void *sender(void *unused)
{
    off_t offset = 0;
    struct epoll_event event = {.events = EPOLLOUT};
    int loop = SYS(epoll_create1(0)), full = 0;
    SYS(epoll_ctl(loop, EPOLL_CTL_ADD, pair[0], &event));
    while (offset < SIZE) {
        off_t before = offset;
        long sent = sendfile(pair[0], file, &offset, SIZE - offset);
        if (sent == -1) {
            ASSERT_EQ(errno, EAGAIN);
            full++;
            ASSERT_EQ(epoll_wait(loop, &event, 1, -1), 1);
            continue;
        }
        ASSERT_EQ(offset, before + sent);
    }
    ASSERT_GT(full, 0);
    SYS(close(pair[0]));
    SYS(close(loop));
    return unused;
}

int main(void)
{
    static unsigned char bytes[SIZE];
    file = fileno(tmpfile());
    for (int i = 0; i < SIZE; i++) bytes[i] = pattern(i);
    write_all(file, bytes, SIZE);
    memset(bytes, 0, SIZE);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SYS(fcntl(pair[0], F_SETFL, O_NONBLOCK));
    pthread_t thread = spawn(sender, NULL);
    let_others_block();
    ASSERT_EQ(read_all(pair[1], bytes, SIZE), SIZE);
    for (int i = 0; i < SIZE; i++) ASSERT_EQ(bytes[i], pattern(i));
    ASSERT_EQ(read(pair[1], bytes, 1), 0);
    join(thread);
    return 0;
}
