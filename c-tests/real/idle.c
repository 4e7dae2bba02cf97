// Threads that wait for ever, each in another way, and a main thread that waits for the end of its input.
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t none;
static int ends[2], listener;

static void *in_condition(void *unused)
{
    pthread_mutex_lock(&lock);
    for (;;)
        pthread_cond_wait(&never, &lock);
    return unused;
}

static void *in_semaphore(void *unused)
{
    while (sem_wait(&none))
        ;
    return unused;
}

static void *in_read(void *unused)
{
    char byte;
    return read(ends[0], &byte, 1) ? NULL : unused;
}

static void *in_accept(void *unused)
{
    accept(listener, NULL, NULL);
    return unused;
}

static void *in_poll(void *unused)
{
    struct pollfd both[] = {{.fd = ends[0], .events = POLLIN}, {.fd = listener, .events = POLLIN}};
    poll(both, 2, 3600 * 1000);
    return unused;
}

static void *in_sleep(void *unused)
{
    nanosleep(&(struct timespec){.tv_sec = 3600}, NULL);
    return unused;
}

int main(void)
{
    void *(*const ways[])(void *) = {in_condition, in_semaphore, in_read, in_accept, in_poll, in_sleep};
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (sem_init(&none, 0, 0) || pipe(ends) || bind(listener, (struct sockaddr *)&any, sizeof any) ||
        listen(listener, 1))
        return 1;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, ways[i], NULL))
            return 1;
    }
    puts("all started");
    fflush(stdout);
    char byte;
    return read(STDIN_FILENO, &byte, 1) ? 1 : 0;
}
