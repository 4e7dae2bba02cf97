// flock: a shared lock becomes exclusive when the other sharers are gone, and the other way round at once.
#include "coop-test.h"
#include <sys/file.h>

static _Atomic int converted;

static void *convert(void *fd)
{
    SYS(flock(*(int *)fd, LOCK_EX));
    converted = 1;
    return NULL;
}

int main(void)
{
    int one = SYS(open("file", O_RDWR | O_CREAT, 0600)), two = SYS(open("file", O_RDWR));
    SYS(flock(one, LOCK_SH));
    SYS(flock(two, LOCK_SH));
    pthread_t thread = spawn(convert, &one);
    let_others_block();
    ASSERT_EQ(converted, 0);
    SYS(flock(two, LOCK_UN));
    join(thread);
    FAILS(flock(two, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    SYS(flock(one, LOCK_SH));
    SYS(flock(two, LOCK_SH | LOCK_NB));
    return 0;
}
