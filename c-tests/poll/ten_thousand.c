// Ten thousand descriptors in one poll: it waits, and comes back for whichever is ready, again and again.
#include "coop-test.h"
#include <sys/eventfd.h>
#include <sys/resource.h>

enum { COUNT = 10000, ROUNDS = 10 };
static struct pollfd list[COUNT];

static void *poller(void *unused)
{
    for (int round = 0; round < ROUNDS; round++) {
        ASSERT_EQ(SYS(poll(list, COUNT, -1)), 1);
        int found = 0;
        while (!list[found].revents) found++;
        ASSERT_EQ(found, round * 997 % COUNT);
        uint64_t value;
        ASSERT_EQ(SYS(read(list[found].fd, &value, 8)), 8);
    }
    return unused;
}

int main(void)
{
    struct rlimit limit;
    SYS(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_max < COUNT + 100) SKIP("the hard limit of descriptors is too low");
    if (limit.rlim_cur < COUNT + 100) limit.rlim_cur = COUNT + 100;
    SYS(setrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < COUNT; i++) list[i] = (struct pollfd){SYS(eventfd(0, 0)), POLLIN, 0};
    pthread_t thread = spawn(poller, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t one = 1;
        struct pollfd this = {list[round * 997 % COUNT].fd, POLLIN, 0};
        write_all(this.fd, &one, 8);
        // Taken before the next comes.
        UNTIL(SYS(poll(&this, 1, 0)) == 0);
    }
    join(thread);
    return 0;
}
