// dup2 onto a number on which threads wait: they keep the old file, later calls get the new one.
#include "coop-test.h"

static int old[2], new[2];

static void *reader(void *unused)
{
    (void)unused;
    char byte = 0;
    ASSERT_EQ(SYS(read(old[0], &byte, 1)), 1);
    return (void *)(intptr_t)byte;
}

int main(void)
{
    for (int round = 0; round < 4; round++) {
        SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, old));
        SYS(pipe(new));
        pthread_t before = spawn(reader, NULL), second = spawn(reader, NULL);
        until_others_wait();
        SYS(round % 2 ? dup2(new[0], old[0]) : dup3(new[0], old[0], O_CLOEXEC));
        pthread_t after = spawn(reader, NULL);
        until_others_wait();
        write_all(new[1], "n", 1);
        ASSERT_EQ((intptr_t)join(after), 'n');
        write_all(old[1], "oo", 2);
        ASSERT_EQ((intptr_t)join(before), 'o');
        ASSERT_EQ((intptr_t)join(second), 'o');
        // The last waiter is gone, and the old file with it.
        UNTIL(send(old[1], "x", 1, MSG_NOSIGNAL) == -1);
        ASSERT_EQ(errno, EPIPE);
        FAILS(dup3(new[0], new[0], 0), EINVAL);
        FAILS(dup2(999, old[0]), EBADF);
        ASSERT_EQ(SYS(dup2(new[0], new[0])), new[0]);
        for (int i = 0; i < 2; i++) {
            SYS(close(old[i]));
            SYS(close(new[i]));
        }
    }
    return 0;
}
