// A message queue's receiver lets others run while it waits, gets the message, and is timed out.
// libs: -lrt
#include "queue.h"

static mqd_t queue;

static void *receiver(void *unused)
{
    (void)unused;
    char message[16];
    unsigned priority;
    ASSERT_EQ(mq_receive(queue, message, sizeof message, &priority), 5);
    ASSERT_MEM(message, "hello", 5);
    ASSERT_EQ(priority, 7);
    return NULL;
}

int main(void)
{
    char message[16];
    queue = new_queue(4, 0);
    pthread_t thread = spawn(receiver, NULL);
    let_others_block();
    SYS(mq_send(queue, "hello", 5, 7));
    join(thread);

    struct timespec past = {.tv_sec = 1}, bad = {.tv_nsec = NS_PER_S};
    FAILS(mq_timedreceive(queue, message, sizeof message, NULL, &past), ETIMEDOUT);
    FAILS(mq_timedreceive(queue, message, sizeof message, NULL, &bad), EINVAL);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    struct timespec soon = in_ms(CLOCK_REALTIME, 40);
    FAILS(mq_timedreceive(queue, message, sizeof message, NULL, &soon), ETIMEDOUT);
    ASSERT_GE(ms_since(start), 39);
    FAILS(mq_receive(queue, message, 3, NULL), EMSGSIZE);
    // What is there is had whatever the deadline says.
    SYS(mq_send(queue, "x", 1, 0));
    ASSERT_EQ(mq_timedreceive(queue, message, sizeof message, NULL, &past), 1);
    return 0;
}
