// O_NONBLOCK of a queue is the program's: it gives EAGAIN at once, does not touch those who wait already, and is never seen set by us.
// libs: -lrt
#include "queue.h"

static mqd_t queue;
static int waits;

static void *receiver(void *unused)
{
    (void)unused;
    char message[16];
    waits = 1;
    ASSERT_EQ(mq_receive(queue, message, sizeof message, NULL), 2);
    return NULL;
}

static long flags(void)
{
    struct mq_attr attributes;
    SYS(mq_getattr(queue, &attributes));
    ASSERT_EQ(attributes.mq_flags & O_NONBLOCK, fcntl(queue, F_GETFL) & O_NONBLOCK);
    return attributes.mq_flags;
}

int main(void)
{
    char message[16];
    queue = new_queue(1, O_NONBLOCK);
    pthread_t thread;
    ASSERT_EQ(flags(), O_NONBLOCK);
    FAILS(mq_receive(queue, message, sizeof message, NULL), EAGAIN);
    struct mq_attr blocking = {0}, nonblocking = {.mq_flags = O_NONBLOCK};
    SYS(mq_setattr(queue, &blocking, NULL));
    thread = spawn(receiver, NULL);
    UNTIL(waits);
    let_others_block();
    ASSERT_EQ(flags(), 0);
    SYS(mq_setattr(queue, &nonblocking, NULL));
    let_others_block();
    SYS(mq_send(queue, "hi", 2, 0));
    join(thread);
    SYS(mq_send(queue, "hi", 2, 0));
    FAILS(mq_send(queue, "hi", 2, 0), EAGAIN);
    ASSERT_EQ(flags(), O_NONBLOCK);
    return 0;
}
