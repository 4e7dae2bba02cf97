// A handler ends semop and msgrcv with EINTR, even with SA_RESTART (signal(7)).
#include "semaphores.h"
#include <sys/msg.h>

static volatile int ended;
static int queue;

static void handler(int number)
{
    (void)number;
}

static void *waits_for_semaphore(void *unused)
{
    FAILS(change(0, -1, 0), EINTR);
    ended = 1;
    return unused;
}

static void *waits_for_message(void *unused)
{
    struct { long type; char text[8]; } message;
    FAILS(msgrcv(queue, &message, sizeof message.text, 0, 0), EINTR);
    ended = 1;
    return unused;
}

int main(void)
{
    new_set(1);
    queue = SYS(msgget(IPC_PRIVATE, 0600));
    on_signal(SIGUSR1, handler, SA_RESTART);
    void *(*bodies[])(void *) = {waits_for_semaphore, waits_for_message};
    for (int i = 0; i < 2; i++) {
        ended = 0;
        pthread_t thread = spawn(bodies[i], NULL);
        for (; !ended; sleep_ms(5)) OK(pthread_kill(thread, SIGUSR1));
        join(thread);
    }
    ASSERT_EQ(semctl(set, 0, GETNCNT), 0);
    SYS(msgctl(queue, IPC_RMID, NULL));
    return 0;
}
