// A descriptor that one thread switches between blocking and non-blocking while others use it: every byte comes once.
#include "coop-test.h"

enum { BYTES = 3000, READERS = 3 };
static int ends[2];
static int sum, count, done;

static void *reader(void *unused)
{
    (void)unused;
    for (;;) {
        unsigned char byte;
        ssize_t n = recv(ends[0], &byte, 1, 0);
        if (n == 0) return NULL;
        if (n == 1) {
            __atomic_add_fetch(&sum, byte, __ATOMIC_RELAXED);
            __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
        } else {
            ASSERT_EQ(errno, EAGAIN);
            sched_yield();
        }
    }
}

static void *switcher(void *unused)
{
    (void)unused;
    for (int on = 0; !__atomic_load_n(&done, __ATOMIC_ACQUIRE); on = !on) {
        SYS(fcntl(ends[0], F_SETFL, O_RDWR | (on ? O_NONBLOCK : 0)));
        sched_yield();
    }
    return NULL;
}

int main(void)
{
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    pthread_t readers[READERS], other = spawn(switcher, NULL);
    for (int i = 0; i < READERS; i++) readers[i] = spawn(reader, NULL);
    int wanted = 0;
    for (int i = 0; i < BYTES; i++) {
        unsigned char byte = pattern(i);
        wanted += byte;
        write_all(ends[1], &byte, 1);
    }
    SYS(close(ends[1]));
    for (int i = 0; i < READERS; i++) join(readers[i]);
    __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    join(other);
    ASSERT_EQ(count, BYTES);
    ASSERT_EQ(sum, wanted);
    return 0;
}
