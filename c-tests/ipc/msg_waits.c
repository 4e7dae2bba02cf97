// System V message queues: receivers wait by type, senders for room; removal ends both with EIDRM.
#include "coop-test.h"
#include <sys/msg.h>

static int queue;
struct message { long type; char text[1000]; };

static void *receiver(void *type)
{
    struct message message;
    long wanted = *(long *)type;
    ASSERT_EQ(msgrcv(queue, &message, sizeof message.text, wanted, 0), wanted);
    ASSERT_EQ(message.type, wanted);
    return NULL;
}

static void *filler(void *sent)
{
    struct message message = {.type = 9};
    while (msgsnd(queue, &message, sizeof message.text, 0) == 0) ++*(volatile int *)sent;
    ASSERT_EQ(errno, EIDRM);
    return NULL;
}

int main(void)
{
    queue = msgget(IPC_PRIVATE, 0600);
    if (queue == -1) SKIP("no message queue to be had");
    long types[] = {1, 2, 3};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = spawn(receiver, &types[i]);
    let_others_block();
    struct message message;
    FAILS(msgrcv(queue, &message, sizeof message.text, 0, IPC_NOWAIT), ENOMSG);
    for (int i = 2; i >= 0; i--) {
        message.type = types[i];
        SYS(msgsnd(queue, &message, types[i], 0));
    }
    for (int i = 0; i < 3; i++) join(threads[i]);

    int sent = 0;
    pthread_t thread = spawn(filler, &sent);
    struct msqid_ds state;
    do {
        sleep_ms(1);
        SYS(msgctl(queue, IPC_STAT, &state));
    } while (state.msg_cbytes + sizeof message.text <= state.msg_qbytes);
    FAILS(msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT), EAGAIN);
    let_others_block();
    int before = *(volatile int *)&sent;
    ASSERT_EQ(msgrcv(queue, &message, sizeof message.text, -9, 0), sizeof message.text);
    UNTIL(*(volatile int *)&sent == before + 1);
    let_others_block();
    SYS(msgctl(queue, IPC_RMID, NULL));
    join(thread);
    FAILS(msgsnd(queue, &message, 0, 0), EINVAL);
    return 0;
}
