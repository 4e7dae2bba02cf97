// main forks while threads wait in all kinds of calls: the child goes on alone, returns from main, and its parent's threads are unharmed.
#include "coop-test.h"

static int ends[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int go;

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return NULL;
}

static void *waiter(void *unused)
{
    (void)unused;
    OK(pthread_mutex_lock(&lock));
    while (!go) OK(pthread_cond_wait(&changed, &lock));
    OK(pthread_mutex_unlock(&lock));
    return NULL;
}

static void *sleeper(void *unused)
{
    (void)unused;
    sleep_ms(100);
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    pthread_t threads[3] = {spawn(reader, NULL), spawn(waiter, NULL), spawn(sleeper, NULL)};
    let_others_block();
    pid_t parent = getpid(), child = SYS(fork());
    if (child == 0) {
        ASSERT_EQ(getppid(), parent);
        ASSERT_EQ(my_tid(), getpid());
        sleep_ms(1);
        return 17;
    }
    ASSERT_EQ(finish(child), 17);
    SYS(write(ends[1], "x", 1));
    OK(pthread_mutex_lock(&lock));
    go = 1;
    OK(pthread_cond_signal(&changed));
    OK(pthread_mutex_unlock(&lock));
    for (int i = 0; i < 3; i++) join(threads[i]);
    return 0;
}
