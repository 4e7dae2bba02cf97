// 700 receivers on one System V queue, more than there are threads for brief calls, and a sender that comes last.
// timeout: 60
#include "coop-test.h"
#include <sys/msg.h>

enum { THREADS = 700 };
static int queue;
static long sum;

static void *receiver(void *unused)
{
    struct { long type, value; } message;
    ASSERT_EQ(msgrcv(queue, &message, sizeof message.value, 0, 0), sizeof message.value);
    __atomic_fetch_add(&sum, message.value, __ATOMIC_RELAXED);
    return unused;
}

static void *sender(void *unused)
{
    struct { long type, value; } message = {.type = 1};
    for (message.value = 1; message.value <= THREADS; message.value++)
        SYS(msgsnd(queue, &message, sizeof message.value, 0));
    return unused;
}

int main(void)
{
    static pthread_t threads[THREADS];
    queue = msgget(IPC_PRIVATE, 0600);
    if (queue == -1) SKIP("no message queue to be had");
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(receiver, NULL);
    let_others_block();
    join(spawn(sender, NULL));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(sum, THREADS * (THREADS + 1) / 2);
    SYS(msgctl(queue, IPC_RMID, NULL));
    return 0;
}
