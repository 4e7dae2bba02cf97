// A signal ends a wait for a queue with EINTR, or the wait goes on under SA_RESTART.
// libs: -lrt
#include "queue.h"

static mqd_t queue;
static volatile int handled, ended;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *receiver(void *restarts)
{
    char message[16];
    if (restarts)
        ASSERT_EQ(mq_receive(queue, message, sizeof message, NULL), 1);
    else
        FAILS(mq_receive(queue, message, sizeof message, NULL), EINTR);
    ended = 1;
    return NULL;
}

int main(void)
{
    queue = new_queue(1, 0);
    on_signal(SIGUSR1, handler, 0);
    pthread_t thread = spawn(receiver, NULL);
    for (; !ended; sleep_ms(5)) OK(pthread_kill(thread, SIGUSR1));
    join(thread);
    on_signal(SIGUSR1, handler, SA_RESTART);
    ended = handled = 0;
    thread = spawn(receiver, "");
    let_others_block();
    OK(pthread_kill(thread, SIGUSR1));
    UNTIL(handled);
    let_others_block();
    ASSERT_EQ(ended, 0);
    SYS(mq_send(queue, "x", 1, 0));
    join(thread);
    return 0;
}
