// select with sets wider than FD_SETSIZE, as the kernel allows.
#include "coop-test.h"
#include <sys/resource.h>
#include <sys/select.h>

enum { WORDS = 4000 / 64 + 1 };
static int ends[2];

static void *selecter(void *unused)
{
    uint64_t set[WORDS] = {0};
    set[ends[0] / 64] |= 1ULL << ends[0] % 64;
    ASSERT_EQ(SYS(select(ends[0] + 1, (fd_set *)set, NULL, NULL, NULL)), 1);
    ASSERT_EQ(set[ends[0] / 64], 1ULL << ends[0] % 64);
    return unused;
}

int main(void)
{
    struct rlimit limit;
    SYS(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_max < 4000) SKIP("the hard limit of descriptors is too low");
    if (limit.rlim_cur < 4000) limit.rlim_cur = 4000;
    SYS(setrlimit(RLIMIT_NOFILE, &limit));
    int low[2];
    SYS(pipe(low));
    ends[0] = SYS(dup2(low[0], 3333));
    ends[1] = low[1];
    pthread_t thread = spawn(selecter, NULL);
    until_others_wait();
    write_all(ends[1], "x", 1);
    join(thread);
    return 0;
}
