// A queue between two processes: each waits for the other, the higher priority comes first, and mq_notify tells.
// libs: -lrt
#include "queue.h"

static mqd_t queue, back;
static volatile int told;

static void handler(int number)
{
    (void)number;
    told = 1;
}

static void *echo(void *unused)
{
    char message[16];
    unsigned priority;
    for (int i = 0; i < 20; i++) {
        long size = SYS(mq_receive(queue, message, sizeof message, &priority));
        SYS(mq_send(back, message, size, priority));
    }
    return unused;
}

static void *nothing(void *unused)
{
    return unused;
}

int main(void)
{
    queue = new_queue(2, 0);
    back = new_queue(2, 0);
    pid_t child = SYS(fork());
    if (child == 0) {
        join(spawn(echo, NULL));
        exit(0);
    }
    join(spawn(nothing, NULL));
    char message[16];
    for (int i = 0; i < 20; i++) {
        SYS(mq_send(queue, "ping", 4, i));
        unsigned priority;
        ASSERT_EQ(mq_receive(back, message, sizeof message, &priority), 4);
        ASSERT_EQ(priority, i);
    }
    ASSERT_EQ(finish(child), 0);
    on_signal(SIGUSR1, handler, 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    SYS(mq_notify(queue, &event));
    SYS(mq_send(queue, "low", 3, 1));
    UNTIL(told);
    SYS(mq_send(queue, "high", 4, 2));
    ASSERT_EQ(mq_receive(queue, message, sizeof message, NULL), 4);
    ASSERT_EQ(mq_receive(queue, message, sizeof message, NULL), 3);
    return 0;
}
