// poll waits for every kind of descriptor in one set, and reports the one that becomes ready.
#include "kinds.h"

static struct kind kinds[KINDS];
static struct pollfd list[KINDS];

static void *poller(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)SYS(poll(list, KINDS, -1));
}

int main(void)
{
    make_kinds(kinds);
    for (int i = 0; i < KINDS; i++) list[i] = (struct pollfd){kinds[i].fd, POLLIN, 0};
    for (int which = 0; which < KINDS; which++) {
        if (kinds[which].fd == -1) continue;
        pthread_t thread = spawn(poller, NULL);
        until_others_wait();
        make_ready(&kinds[which], which);
        ASSERT_EQ((intptr_t)join(thread), 1);
        ASSERT_EQ(list[which].revents & POLLIN, POLLIN);
        list[which].fd = -1;
    }
    return 0;
}
