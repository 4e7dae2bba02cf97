// Address space runs out under a program with many threads: no more can be made, a large poll may fail, all other waits are as ever.
#include "address-space.h"

static int ends[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting, over;

static void *reader(void *unused)
{
    char byte;
    struct timespec moment = {0, 2000000}, when;
    SYS(nanosleep(&moment, NULL));
    OK(pthread_mutex_lock(&mutex));
    clock_gettime(CLOCK_REALTIME, &when);
    when.tv_sec += 1000;
    waiting++;
    while (!over) OK(pthread_cond_timedwait(&cond, &mutex, &when));
    OK(pthread_mutex_unlock(&mutex));
    struct pollfd one = {ends[0], POLLIN, 0};
    ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
    ASSERT_EQ(read(ends[0], &byte, 1), 0);
    return unused;
}

int main(void)
{
    enum { MOST = 3000 };
    static pthread_t threads[MOST];
    SYS(pipe(ends));
    threads[0] = spawn_small(reader, NULL);
    until_others_wait();
    struct rlimit limit = {address_space() + (8 << 20), RLIM_INFINITY};
    SYS(setrlimit(RLIMIT_AS, &limit));
    int count = 1;
    pthread_attr_t attributes;
    OK(pthread_attr_init(&attributes));
    OK(pthread_attr_setstacksize(&attributes, 64 << 10));
    while (count < MOST && pthread_create(&threads[count], &attributes, reader, NULL) == 0) count++;
    ASSERT_GT(count, 1);
    // A poll whose descriptors take more memory than there is.
    enum { MANY = 1000 };
    static struct pollfd list[MANY];
    for (int i = 0; i < MANY; i++) list[i] = (struct pollfd){ends[0], 0, 0};
    int found = poll(list, MANY, 1);
    ASSERT(found == 0 || (found == -1 && errno == ENOMEM));
    for (int ready = 0; ready < count; sched_yield()) {
        OK(pthread_mutex_lock(&mutex));
        ready = waiting;
        OK(pthread_mutex_unlock(&mutex));
    }
    OK(pthread_mutex_lock(&mutex));
    over = 1;
    OK(pthread_cond_broadcast(&cond));
    OK(pthread_mutex_unlock(&mutex));
    sleep_ms(1);
    SYS(close(ends[1]));
    for (int i = 0; i < count; i++) join(threads[i]);
    return 0;
}
