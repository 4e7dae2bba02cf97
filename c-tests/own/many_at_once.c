// Four hundred threads with identities of their own wait at the same time, some for descriptors, and go on as themselves.
// timeout: 60
#include "own.h"

enum { THREADS = 400 };
static pthread_barrier_t barrier;
static int pipes[2];

static void *waits(void *argument)
{
    uid_t me = 5000 + (uid_t)(intptr_t)argument;
    char byte;
    setfsuid(me);
    pthread_barrier_wait(&barrier);
    ASSERT_EQ(fsuid(), me);
    if (me % 4 == 0) ASSERT_EQ(read(pipes[0], &byte, 1), 1);
    pthread_barrier_wait(&barrier);
    ASSERT_EQ(fsuid(), me);
    return NULL;
}

int main(void)
{
    static pthread_t threads[THREADS];
    need_root();
    SYS(pipe(pipes));
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(waits, (void *)(intptr_t)i);
    pthread_barrier_wait(&barrier);
    let_others_block();
    for (int i = 0; i < THREADS / 4; i++) write_all(pipes[1], "x", 1);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(fsuid(), 0);
    return 0;
}
