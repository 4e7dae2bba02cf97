// 300 connections, each with a reader and a writer thread that wait; the peer's end of each is closed: every one of them comes back.
// timeout: 60
#include "coop-test.h"

enum { PAIRS = 300 };
static int pairs[PAIRS][2], at_end, broken;

static void *reader(void *pair)
{
    char bytes[64];
    long got;
    while ((got = recv(((int *)pair)[0], bytes, sizeof bytes, 0)) > 0) continue;
    ASSERT(got == 0 || errno == ECONNRESET);
    __atomic_fetch_add(&at_end, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void *writer(void *pair)
{
    static char bytes[1 << 16];
    while (send(((int *)pair)[0], bytes, sizeof bytes, MSG_NOSIGNAL) > 0) continue;
    ASSERT(errno == EPIPE || errno == ECONNRESET);
    __atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
    return NULL;
}

int main(void)
{
    static pthread_t threads[PAIRS][2];
    for (int i = 0; i < PAIRS; i++) {
        SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]));
        threads[i][0] = spawn_small(reader, pairs[i]);
        threads[i][1] = spawn_small(writer, pairs[i]);
    }
    let_others_block();
    for (int i = 0; i < PAIRS; i++) SYS(close(pairs[i][1]));
    for (int i = 0; i < PAIRS; i++) {
        join(threads[i][0]);
        join(threads[i][1]);
    }
    ASSERT_EQ(at_end, PAIRS);
    ASSERT_EQ(broken, PAIRS);
    return 0;
}
