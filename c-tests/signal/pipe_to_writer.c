// SIGPIPE goes to the thread that wrote, and to no other: there with write, send, splice and sendfile, not with MSG_NOSIGNAL.
#include "coop-test.h"
#include <sys/sendfile.h>

static __thread volatile int handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *body(void *unused)
{
    int broken[2], pair[2], full[2];
    SYS(pipe(broken));
    close(broken[0]);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    close(pair[0]);
    SYS(pipe(full));
    SYS(write(full[1], "data", 4));
    handled = 0;
    FAILS(write(broken[1], "x", 1), EPIPE);
    ASSERT_EQ(handled, 1);
    FAILS(send(pair[1], "x", 1, 0), EPIPE);
    ASSERT_EQ(handled, 2);
    FAILS(send(pair[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    ASSERT_EQ(handled, 2);
    FAILS(splice(full[0], NULL, broken[1], NULL, 4, 0), EPIPE);
    ASSERT_EQ(handled, 3);
    int file = SYS(memfd_create("data", 0));
    SYS(write(file, "data", 4));
    FAILS(sendfile(broken[1], file, &(off_t){0}, 4), EPIPE);
    ASSERT_EQ(handled, 4);
    close(broken[1]), close(pair[1]), close(full[0]), close(full[1]), close(file);
    return unused;
}

static void *idle(void *unused)
{
    for (int i = 0; i < 20; i++) sleep_ms(2);
    ASSERT_EQ(handled, 0);
    return unused;
}

int main(void)
{
    on_signal(SIGPIPE, handler, 0);
    pthread_t others[2] = {spawn(idle, NULL), spawn(idle, NULL)};
    join(spawn(body, NULL));
    join(others[0]);
    join(others[1]);
    ASSERT_EQ(handled, 0);
    body(NULL);
    return 0;
}
