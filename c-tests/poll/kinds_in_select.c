// select waits for every kind of descriptor in one set, and reports the one that becomes ready.
#include "kinds.h"
#include <sys/select.h>

static struct kind kinds[KINDS];
static fd_set set;

static void *selecter(void *found)
{
    fd_set *ready = found;
    *ready = set;
    return (void *)(intptr_t)SYS(select(FD_SETSIZE, ready, NULL, NULL, NULL));
}

int main(void)
{
    make_kinds(kinds);
    FD_ZERO(&set);
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].fd != -1) FD_SET(kinds[i].fd, &set);
    for (int which = 0; which < KINDS; which++) {
        if (kinds[which].fd == -1) continue;
        fd_set ready;
        pthread_t thread = spawn(selecter, &ready);
        until_others_wait();
        make_ready(&kinds[which], which);
        ASSERT_EQ((intptr_t)join(thread), 1);
        ASSERT(FD_ISSET(kinds[which].fd, &ready));
        FD_CLR(kinds[which].fd, &set);
    }
    return 0;
}
