// A first thread in a process whose descriptors are all in use works, and what it waits for.
#include "coop-test.h"
#include <sys/resource.h>

static int ends[2];

static void *reader(void *unused)
{
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    FAILS(dup(0), EMFILE);
    return unused;
}

int main(void)
{
    struct rlimit limit;
    SYS(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_max < 1024) SKIP("the hard limit leaves no room above the soft one");
    limit.rlim_cur = 40;
    SYS(setrlimit(RLIMIT_NOFILE, &limit));
    SYS(pipe(ends));
    while (dup(0) != -1) continue;
    pthread_t thread = spawn(reader, NULL);
    let_others_block();
    write_all(ends[1], "x", 1);
    join(thread);
    return 0;
}
