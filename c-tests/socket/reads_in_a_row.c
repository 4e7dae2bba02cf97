// One read after the other on a TCP connection, the first of which leaves nothing, or something that no new packet will tell of: urgent data in the
// middle, an end, a reset. Each gives what is there, and waits where nothing is.
#include "coop-test.h"
#include <sys/ioctl.h>

enum { ROUNDS = 6 };
static int pair[2];

// Both sides have waited once, and nothing is on its way.
static void *answers(void *unused)
{
    char byte;
    ASSERT_EQ(SYS(read(pair[1], &byte, 1)), 1);
    write_all(pair[1], "y", 1);
    return unused;
}

static void warm_pair(void)
{
    char bytes[100];
    tcp_pair(pair);
    pthread_t other = spawn(answers, NULL);
    write_all(pair[0], "x", 1);
    ASSERT_EQ(SYS(read(pair[0], bytes, sizeof bytes)), 1);
    join(other);
}

static void close_pair(void)
{
    SYS(close(pair[0]));
    SYS(close(pair[1]));
}

static void until_there(int count)
{
    for (int there = 0; there < count; sched_yield()) SYS(ioctl(pair[0], FIONREAD, &there));
}

static long get(void *bytes, size_t size, int how)
{
    return how ? recv(pair[0], bytes, size, 0) : read(pair[0], bytes, size);
}

static void ends(int how)
{
    char bytes[100];
    warm_pair();
    write_all(pair[1], "ab", 2);
    SYS(shutdown(pair[1], SHUT_WR));
    sleep_ms(2);
    ASSERT_EQ(get(bytes, 100, how), 2);
    ASSERT_EQ(get(bytes, 100, how), 0);
    ASSERT_EQ(get(bytes, 100, how), 0);
    close_pair();
}

static void is_urgent(int how)
{
    char bytes[100];
    warm_pair();
    write_all(pair[1], "ab", 2);
    ASSERT_EQ(SYS(send(pair[1], "c", 1, MSG_OOB)), 1);
    write_all(pair[1], "de", 2);
    until_there(2);
    sleep_ms(2);
    ASSERT_EQ(get(bytes, 100, how), 2);
    ASSERT_EQ(get(bytes, 100, how), 2);
    ASSERT_EQ(bytes[1], 'e');
    close_pair();
}

static void is_reset(int how)
{
    char bytes[100];
    struct linger linger = {1, 0};
    warm_pair();
    write_all(pair[1], "ab", 2);
    until_there(2);
    ASSERT_EQ(get(bytes, 100, how), 2);
    SYS(setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    SYS(close(pair[1]));
    FAILS(get(bytes, 100, how), ECONNRESET);
    ASSERT_EQ(get(bytes, 100, how), 0);
    SYS(close(pair[0]));
}

static void *writes_later(void *unused)
{
    until_others_wait();
    write_all(pair[1], "z", 1);
    return unused;
}

static void changes_its_mind(int how)
{
    char bytes[100];
    int one = 1, none = 0;
    warm_pair();
    SYS(ioctl(pair[0], FIONBIO, &one));
    FAILS(get(bytes, 100, how), EAGAIN);
    SYS(ioctl(pair[0], FIONBIO, &none));
    pthread_t other = spawn(writes_later, NULL);
    ASSERT_EQ(get(bytes, 100, how), 1);
    join(other);

    close_pair();
    warm_pair();
    struct timeval soon = {0, 2000};
    SYS(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon));
    FAILS(get(bytes, 100, how), EAGAIN);

    close_pair();
    warm_pair();
    int copy = SYS(dup(pair[0]));
    SYS(fcntl(copy, F_SETFL, O_RDWR | O_NONBLOCK));
    FAILS(get(bytes, 100, how), EAGAIN);
    SYS(close(copy));
    close_pair();
}

static void *shuts(void *unused)
{
    until_others_wait();
    SYS(shutdown(pair[0], SHUT_RD));
    return unused;
}

static void is_shut(int how)
{
    char bytes[100];
    warm_pair();
    pthread_t other = spawn(shuts, NULL);
    ASSERT_EQ(get(bytes, 100, how), 0);
    ASSERT_EQ(get(bytes, 100, how), 0);
    join(other);
    close_pair();
}

static void *reads_once(void *how)
{
    char bytes[100];
    long n = get(bytes, 100, how != NULL);
    ASSERT_GT(n, 0);
    return (void *)n;
}

// It waits by what one thread has learnt on its hub, reads on another, and comes back.
static void changes_hands(int how)
{
    char bytes[100];
    warm_pair();
    for (int i = 0; i < 5; i++) {
        pthread_t reader = spawn(reads_once, how ? pair : NULL), writer = spawn(writes_later, NULL);
        ASSERT_EQ((long)join(reader), 1);
        join(writer);
        writer = spawn(writes_later, NULL);
        ASSERT_EQ(get(bytes, 100, how), 1);
        join(writer);
    }
    close_pair();
}

enum { STREAM = 200000 };

static void *streams(void *seed)
{
    static char bytes[3000];
    unsigned state = (unsigned)(intptr_t)seed;
    for (long left = STREAM; left > 0;) {
        size_t n = (size_t)(rand_r(&state) % 3000) + 1;
        if ((long)n > left) n = (size_t)left;
        write_all(pair[1], bytes, n);
        left -= (long)n;
        if (rand_r(&state) % 4 == 0) sched_yield();
    }
    SYS(shutdown(pair[1], SHUT_WR));
    return NULL;
}

static void *takes(void *how)
{
    char bytes[4096];
    unsigned state = (unsigned)my_tid();
    long total = 0, n;
    while ((n = SYS(get(bytes, (size_t)(rand_r(&state) % 4096) + 1, how != NULL))) > 0) total += n;
    return (void *)total;
}

// Several readers of one connection, with room for more or less than there is.
static void is_shared(int how)
{
    warm_pair();
    pthread_t readers[3], writer = spawn(streams, (void *)(intptr_t)(how + 1));
    long total = 0;
    for (int i = 0; i < 3; i++) readers[i] = spawn(takes, how ? pair : NULL);
    for (int i = 0; i < 3; i++) total += (long)join(readers[i]);
    ASSERT_EQ(total, STREAM);
    join(writer);
    close_pair();
}

static void *all(void *unused)
{
    for (int round = 0; round < ROUNDS; round++) {
        ends(round & 1);
        is_urgent(round & 1);
        is_reset(round & 1);
        changes_its_mind(round & 1);
        is_shut(round & 1);
        changes_hands(round & 1);
        is_shared(round & 1);
    }
    return unused;
}

int main(void)
{
    join(spawn(all, NULL));
    return 0;
}
