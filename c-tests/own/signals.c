// A thread with something of its own gets its signals wherever it is: in each kind of wait, computing, and in a call that waits in the kernel.
// timeout: 60
#include "own.h"
#include <sys/epoll.h>
#include <sys/file.h>

static volatile int handled, in_place;
static char fifo[100], locked[100];
static int pipes[2], epoll;
static sem_t semaphore, started;
static volatile int stop;

static void handler(int signal)
{
    ASSERT_EQ(signal, SIGUSR1);
    handled++;
}

static int in_read(void)
{
    char byte;
    return (int)read(pipes[0], &byte, 1);
}

static int in_poll(void)
{
    struct pollfd one = {pipes[0], POLLIN, 0};
    return poll(&one, 1, -1);
}

static int in_epoll(void)
{
    struct epoll_event event;
    return epoll_wait(epoll, &event, 1, -1);
}

static int in_semaphore(void)
{
    return sem_wait(&semaphore);
}

static int in_sleep(void)
{
    struct timespec time = {1000, 0};
    return nanosleep(&time, NULL);
}

static int in_fifo(void)
{
    return open(fifo, O_RDONLY);
}

static int in_lock(void)
{
    int fd = SYS(open(locked, O_RDONLY));
    int result = flock(fd, LOCK_EX);
    int error = errno;
    SYS(close(fd));
    errno = error;
    return result;
}

static int in_wait(void)
{
    return waitpid(-1, NULL, 0);
}

static int in_pause(void)
{
    return pause();
}

static int in_computing(void)
{
    int before = handled;
    for (volatile long n = 0; handled == before; n++) {}
    errno = EINTR;
    return -1;
}

static int (*const places[])(void) = {
    in_read, in_poll, in_epoll, in_semaphore, in_sleep, in_fifo, in_lock, in_wait, in_pause, in_computing,
};
enum { PLACES = sizeof places / sizeof places[0] };

static void *goes(void *unused)
{
    SYS(prctl(PR_SET_TIMERSLACK, 77777, 0, 0, 0));
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < PLACES; i++) {
            int before = handled;
            in_place = 1;
            FAILS(places[i](), EINTR);
            in_place = 0;
            ASSERT_GT(handled, before);
            sem_post(&started);
        }
    stop = 1;
    sem_post(&started);
    return unused;
}

int main(void)
{
    char directory[] = "/tmp/coop-own-XXXXXX";
    struct sigaction action = {.sa_handler = handler};
    SYS(sigaction(SIGUSR1, &action, NULL));
    open_directory(directory);
    snprintf(fifo, sizeof fifo, "%s/fifo", directory);
    snprintf(locked, sizeof locked, "%s/locked", directory);
    SYS(mkfifo(fifo, 0600));
    int lock = SYS(open(locked, O_CREAT | O_RDWR, 0600));
    SYS(flock(lock, LOCK_EX));
    SYS(pipe(pipes));
    epoll = SYS(epoll_create1(0));
    sem_init(&semaphore, 0, 0);
    sem_init(&started, 0, 0);
    pid_t child = SYS(fork());
    if (child == 0) {
        pause();
        _exit(0);
    }
    pthread_t thread = spawn(goes, NULL);
    while (!stop) {
        int before = handled;
        UNTIL(in_place || stop);
        if (stop) break;
        let_others_block();
        while (handled == before && !stop) {
            pthread_kill(thread, SIGUSR1);
            sleep_ms(2);
        }
        while (sem_wait(&started) != 0) {}
    }
    join(thread);
    SYS(kill(child, SIGKILL));
    SYS(waitpid(child, NULL, 0));
    SYS(unlink(fifo));
    SYS(unlink(locked));
    SYS(rmdir(directory));
    return 0;
}
