// With COOP_DEADLOCK=report nothing is said of threads that something may still wake: a time-out, a pipe, another process.
// env: COOP_DEADLOCK=report
#include "coop-test.h"

static sem_t never;
static int pipe_fd[2];

static void *waits(void *unused)
{
    (void)unused;
    SYS(sem_wait(&never));
    return NULL;
}

static void *timed(void *unused)
{
    (void)unused;
    struct timespec until = in_ms(CLOCK_REALTIME, 60);
    FAILS(sem_timedwait(&never, &until), ETIMEDOUT);
    SYS(sem_post(&never));
    return NULL;
}

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(SYS(read(pipe_fd[0], &byte, 1)), 1);
    SYS(sem_post(&never));
    return NULL;
}

int main(void)
{
    SYS(sem_init(&never, 0, 0));
    SYS(pipe(pipe_fd));
    pthread_t one = spawn(waits, NULL), two = spawn(timed, NULL);
    join(one);
    join(two);

    pid_t child = SYS(fork());
    if (child == 0) {
        sleep_ms(60);
        write_all(pipe_fd[1], "x", 1);
        _exit(0);
    }
    one = spawn(waits, NULL);
    two = spawn(reader, NULL);
    join(one);
    join(two);
    ASSERT_EQ(finish(child), 0);

    uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(word != MAP_FAILED);
    child = SYS(fork());
    if (child == 0) {
        sleep_ms(60);
        *word = 1;
        futex(word, FUTEX_WAKE, 1, NULL, NULL, 0);
        _exit(0);
    }
    one = spawn(waits, NULL);
    while (*word == 0) futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
    SYS(sem_post(&never));
    join(one);
    ASSERT_EQ(finish(child), 0);
    return 0;
}
