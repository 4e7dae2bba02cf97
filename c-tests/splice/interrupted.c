// A signal ends a sendfile of which part is sent with that part, and one that has sent nothing with EINTR. A reader who is gone: EPIPE, SIGPIPE.
#include "coop-test.h"
#include <sys/sendfile.h>

enum { SIZE = 32 << 20 };
static int file, pair[2];
static volatile int ended, pipes;
static long sent;

static void handler(int number)
{
    if (number == SIGPIPE) pipes++;
}

static void *sender(void *unused)
{
    off_t offset = 0;
    sent = sendfile(pair[0], file, &offset, SIZE);
    if (sent == -1)
        ASSERT_EQ(errno, EINTR);
    else
        ASSERT_EQ(sent, offset);
    ended = 1;
    return unused;
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGPIPE, handler, 0);
    file = fileno(tmpfile());
    SYS(ftruncate(file, SIZE));
    tcp_pair(pair);
    for (int round = 0; round < 2; round++) {
        ended = 0;
        pthread_t thread = spawn(sender, NULL);
        let_others_block();
        let_others_block();
        for (; !ended; sleep_ms(20)) OK(pthread_kill(thread, SIGUSR1));
        join(thread);
        if (round == 0) {
            ASSERT_GT(sent, 0);
            ASSERT_LT(sent, SIZE);
        }
    }
    SYS(shutdown(pair[0], SHUT_WR));
    off_t offset = 0;
    FAILS(sendfile(pair[0], file, &offset, 1), EPIPE);
    ASSERT_EQ(pipes, 1);
    int ends[2];
    SYS(pipe(ends));
    SYS(close(ends[0]));
    FAILS(sendfile(ends[1], file, &offset, 1), EPIPE);
    ASSERT_EQ(pipes, 2);
    return 0;
}
