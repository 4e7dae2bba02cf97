// Forks while other threads allocate, print, lock and do I/O: each child can allocate, print and make threads at once.
#include "coop-test.h"

static volatile int stop;
static FILE *sink;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *busy(void *unused)
{
    int fds[2];
    char bytes[64] = "";
    (void)unused;
    SYS(pipe(fds));
    while (!stop) {
        void *memory = malloc(3000);
        memset(memory, 1, 3000);
        fprintf(sink, "%p\n", memory);
        free(memory);
        write_all(fds[1], bytes, sizeof bytes);
        read_all(fds[0], bytes, sizeof bytes);
        OK(pthread_mutex_lock(&lock));
        OK(pthread_mutex_unlock(&lock));
        sched_yield();
    }
    return NULL;
}

static void *nothing(void *argument)
{
    free(malloc(5000));
    return argument;
}

int main(void)
{
    pthread_t threads[6];
    sink = fopen("/dev/null", "w");
    for (int i = 0; i < 6; i++) threads[i] = spawn(busy, NULL);
    for (int i = 0; i < 20; i++) {
        pid_t child = SYS(fork());
        if (child == 0) {
            free(malloc(100000));
            fprintf(sink, "child\n");
            fflush(sink);
            ASSERT_EQ((intptr_t)join(spawn(nothing, (void *)5)), 5);
            _exit(3);
        }
        ASSERT_EQ(finish(child), 3);
    }
    stop = 1;
    for (int i = 0; i < 6; i++) join(threads[i]);
    return 0;
}
