// A sender to a full queue waits for room, in its order, and is timed out.
// libs: -lrt
#include "queue.h"

static mqd_t queue;

static void *sender(void *number)
{
    SYS(mq_send(queue, number, 1, 0));
    return NULL;
}

int main(void)
{
    queue = new_queue(1, 0);
    SYS(mq_send(queue, "0", 1, 0));
    struct timespec soon = in_ms(CLOCK_REALTIME, 20);
    FAILS(mq_timedsend(queue, "-", 1, 0, &soon), ETIMEDOUT);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = spawn(sender, &"123"[i]);
    let_others_block();
    int seen = 0;
    for (int i = 0; i < 4; i++) {
        char message[16];
        ASSERT_EQ(mq_receive(queue, message, sizeof message, NULL), 1);
        if (i == 0) ASSERT_EQ(message[0], '0');
        seen |= 1 << (message[0] - '0');
    }
    ASSERT_EQ(seen, 15);
    for (int i = 0; i < 3; i++) join(threads[i]);
    struct mq_attr attributes;
    SYS(mq_getattr(queue, &attributes));
    ASSERT_EQ(attributes.mq_curmsgs, 0);
    return 0;
}
