// Threads with something of their own are cancelled in their waits, and joined; their cleanup runs as them.
#include "own.h"

static char fifo[100];
static int pipes[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int cleaned;

static void clean(void *unused)
{
    (void)unused;
    ASSERT_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 77777);
    __atomic_add_fetch(&cleaned, 1, __ATOMIC_SEQ_CST);
}

static void unlock(void *unused)
{
    (void)unused;
    pthread_mutex_unlock(&mutex);
}

static void *waits(void *argument)
{
    char byte;
    SYS(prctl(PR_SET_TIMERSLACK, 77777, 0, 0, 0));
    pthread_cleanup_push(clean, NULL);
    switch ((intptr_t)argument) {
    case 0: read(pipes[0], &byte, 1); break;
    case 1: while (open(fifo, O_RDONLY) == -1) {} break;
    case 2: while (sem_wait(&semaphore) != 0) {} break;
    case 3: sleep(1000); break;
    case 4:
        pthread_mutex_lock(&mutex);
        pthread_cleanup_push(unlock, NULL);
        for (;;) pthread_cond_wait(&condition, &mutex);
        pthread_cleanup_pop(1);
    case 5: poll(NULL, 0, -1); break;
    default:
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
        for (volatile long n = 0;; n++) {}
    }
    FAIL("wait %d was not cancelled", (int)(intptr_t)argument);
    pthread_cleanup_pop(1);
    return NULL;
}

int main(void)
{
    enum { KINDS = 7 };
    char directory[] = "/tmp/coop-own-XXXXXX";
    pthread_t threads[KINDS];
    open_directory(directory);
    snprintf(fifo, sizeof fifo, "%s/fifo", directory);
    SYS(mkfifo(fifo, 0600));
    SYS(pipe(pipes));
    sem_init(&semaphore, 0, 0);
    for (int round = 0; round < 3; round++) {
        cleaned = 0;
        for (int i = 0; i < KINDS; i++) threads[i] = spawn(waits, (void *)(intptr_t)i);
        let_others_block();
        // One that has not come to its cleanup handler yet is cancelled without.
        sleep_ms(20);
        for (int i = 0; i < KINDS; i++) ASSERT_EQ(pthread_cancel(threads[i]), 0);
        for (int i = 0; i < KINDS; i++) ASSERT_PTR(join(threads[i]), PTHREAD_CANCELED);
        ASSERT_LE(cleaned, KINDS);
    }
    SYS(unlink(fifo));
    SYS(rmdir(directory));
    return 0;
}
