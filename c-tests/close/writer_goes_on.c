// A writer that waits when its descriptor is closed writes all; only then does the reader see the end.
#include "coop-test.h"

static char bytes[1 << 20];
static int ends[2];

static void *writer(void *unused)
{
    (void)unused;
    ASSERT_EQ(SYS(write(ends[1], bytes, sizeof bytes)), (long)sizeof bytes);
    return NULL;
}

int main(void)
{
    for (int sockets = 0; sockets < 2; sockets++) {
        SYS(sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends));
        pthread_t thread = spawn(writer, NULL);
        until_others_wait();
        SYS(close(ends[1]));
        int other = SYS(open("/dev/null", O_WRONLY));
        ASSERT_EQ(other, ends[1]);
        static char got[sizeof bytes + 1];
        ASSERT_EQ(read_all(ends[0], got, sizeof got), sizeof bytes);
        join(thread);
        SYS(close(other));
        SYS(close(ends[0]));
    }
    return 0;
}
