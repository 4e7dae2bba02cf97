// A thousand threads wait in mq_receive, and neither them nor calls of other kinds (flock, fsync) keep the sender from running.
// libs: -lrt
// timeout: 60
#include "queue.h"
#include <sys/file.h>

enum { THREADS = 1000 };
static mqd_t queue;
static int received;

static void *receiver(void *unused)
{
    (void)unused;
    char message[16];
    ASSERT_EQ(mq_receive(queue, message, sizeof message, NULL), 1);
    __atomic_fetch_add(&received, 1, __ATOMIC_RELAXED);
    return NULL;
}

int main(void)
{
    static pthread_t threads[THREADS];
    queue = new_queue(8, 0);
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(receiver, NULL);
    let_others_block();
    FILE *file = tmpfile();
    SYS(flock(fileno(file), LOCK_EX));
    SYS(fsync(fileno(file)));
    for (int i = 0; i < THREADS; i++) SYS(mq_send(queue, "x", 1, 0));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(received, THREADS);
    return 0;
}
