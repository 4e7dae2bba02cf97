// Threads come and go, some with something of their own, and do what they like to each other: signals, pipes, locks, forks, FIFOs, sleeps.
// timeout: 60
#include "own.h"

enum { SLOTS = 12, ROUNDS = 25 };
static int pipes[2];
static char fifo[100];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;

static void ignore(int number)
{
    (void)number;
}

static void *inner(void *argument)
{
    long slack = (long)(intptr_t)argument;
    if (slack) ASSERT_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), slack);
    sched_yield();
    return NULL;
}

static void vforks(void)
{
    int status;
    pid_t child = vfork();
    if (child == 0) _exit(5);
    SYS(child);
    while (waitpid(child, &status, 0) != child) ASSERT_EQ(errno, EINTR);
    ASSERT_EQ(status, 5 << 8);
}

static void *lives(void *argument)
{
    unsigned seed = (unsigned)(intptr_t)argument;
    long slack = 0;
    int status;
    char byte;
    for (int i = 0; i < ROUNDS; i++) {
        switch (rand_r(&seed) % 13) {
        case 0: slack = 60000 + rand_r(&seed) % 1000; SYS(prctl(PR_SET_TIMERSLACK, slack, 0, 0, 0)); break;
        case 1: sleep_ms(1); break;
        case 2: write_all(pipes[1], "x", 1); while (read(pipes[0], &byte, 1) != 1) ASSERT_EQ(errno, EINTR); break;
        case 3: pthread_mutex_lock(&mutex); sched_yield(); pthread_mutex_unlock(&mutex); break;
        case 4: pthread_rwlock_rdlock(&rwlock); sched_yield(); pthread_rwlock_unlock(&rwlock); break;
        case 5: pthread_rwlock_wrlock(&rwlock); pthread_rwlock_unlock(&rwlock); break;
        case 6: sem_post(&semaphore); while (sem_wait(&semaphore) != 0) ASSERT_EQ(errno, EINTR); break;
        case 7: join(spawn_small(inner, (void *)(intptr_t)slack)); break;
        case 8: {
            pid_t child = SYS(fork());
            if (child == 0) _exit(slack && prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) != slack);
            while (waitpid(child, &status, 0) != child) ASSERT_EQ(errno, EINTR);
            ASSERT_EQ(status, 0);
            break;
        }
        case 9: pthread_kill(pthread_self(), SIGUSR1); break;
        case 10: kill(getpid(), SIGUSR1); break;
        case 11: {
            // Opened for both it does not wait.
            int fd;
            while ((fd = open(fifo, O_RDWR)) == -1) ASSERT_EQ(errno, EINTR);
            SYS(close(fd));
            break;
        }
        default: vforks(); break;
        }
        if (slack) ASSERT_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), slack);
    }
    return argument;
}

int main(void)
{
    char directory[] = "/tmp/coop-own-XXXXXX";
    pthread_t threads[SLOTS];
    on_signal(SIGUSR1, ignore, 0);
    open_directory(directory);
    snprintf(fifo, sizeof fifo, "%s/fifo", directory);
    SYS(mkfifo(fifo, 0600));
    SYS(pipe(pipes));
    sem_init(&semaphore, 0, 0);
    unsigned seed = (unsigned)getpid();
    for (int i = 0; i < SLOTS; i++) threads[i] = spawn(lives, (void *)(intptr_t)rand_r(&seed));
    for (int i = 0; i < 60; i++) {
        int at = i % SLOTS;
        ASSERT(join(threads[at]) != NULL);
        threads[at] = spawn(lives, (void *)(intptr_t)(rand_r(&seed) | 1));
    }
    for (int i = 0; i < SLOTS; i++) join(threads[i]);
    SYS(unlink(fifo));
    SYS(rmdir(directory));
    return 0;
}
