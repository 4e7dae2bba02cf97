// Where the kernel gives no more OS threads, those who wait in semop and msgrcv try again now and then: nobody waits for ever.
// only: preloaded
// timeout: 60
#include "semaphores.h"
#include <grp.h>
#include <sys/msg.h>
#include <sys/resource.h>

enum { THREADS = 120 };
static int queue, through;

static void *waits_for_semaphore(void *unused)
{
    SYS(change(0, -1, 0));
    __atomic_fetch_add(&through, 1, __ATOMIC_RELAXED);
    SYS(change(0, 1, 0));
    return unused;
}

static void *waits_for_message(void *unused)
{
    struct { long type, value; } message;
    ASSERT_EQ(msgrcv(queue, &message, sizeof message.value, 0, 0), sizeof message.value);
    __atomic_fetch_add(&through, 1, __ATOMIC_RELAXED);
    return unused;
}

int main(void)
{
    static pthread_t threads[THREADS];
    // The limit is a user's, and nothing to root: a user that nobody else is.
    if (geteuid() == 0) {
        SYS(setgroups(0, NULL));
        SYS(setuid(100000 + getpid()));
    }
    new_set(1);
    queue = SYS(msgget(IPC_PRIVATE, 0600));
    struct rlimit few = {16, 16};
    SYS(setrlimit(RLIMIT_NPROC, &few));
    for (int i = 0; i < THREADS; i++) {
        pthread_attr_t attributes;
        OK(pthread_attr_init(&attributes));
        OK(pthread_attr_setstacksize(&attributes, 64 << 10));
        int error = pthread_create(&threads[i], &attributes, i % 2 ? waits_for_semaphore : waits_for_message, NULL);
        if (error == EAGAIN) SKIP("the library itself got no thread: the user has others");
        OK(error);
    }
    let_others_block();
    ASSERT_EQ(through, 0);
    ASSERT_LT(semctl(set, 0, GETNCNT), THREADS / 2);
    SYS(change(0, 1, 0));
    struct { long type, value; } message = {1, 1};
    for (int i = 0; i < THREADS / 2; i++) SYS(msgsnd(queue, &message, sizeof message.value, 0));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(through, THREADS);
    SYS(msgctl(queue, IPC_RMID, NULL));
    return 0;
}
