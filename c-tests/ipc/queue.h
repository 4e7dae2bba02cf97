// A POSIX message queue of this process alone: unlinked at once.
#include "coop-test.h"
#include <mqueue.h>

static inline mqd_t new_queue(long messages, int flags)
{
    char name[64];
    snprintf(name, sizeof name, "/coop-test-%d", getpid());
    struct mq_attr attributes = {.mq_maxmsg = messages, .mq_msgsize = 16};
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR | flags, 0600, &attributes);
    if (queue == -1 && (errno == ENOSYS || errno == EMFILE || errno == ENOSPC))
        SKIP("no message queue to be had");
    SYS(queue);
    SYS(mq_unlink(name));
    return queue;
}
