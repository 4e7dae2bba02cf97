// The main thread takes something of its own: its threads have it, those from before have not; it ends, and the process goes on to its exit.
// expect-exit: 7
#include "own.h"

static sem_t go, gone;
static pthread_t main_thread;

static void *from_before(void *unused)
{
    (void)unused;
    while (sem_wait(&go) != 0) {}
    ASSERT_NE(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 71000);
    sem_post(&gone);
    pthread_join(main_thread, NULL);
    ASSERT_EQ(system("exit 3"), 3 << 8);
    exit(7);
}

static void *from_after(void *argument)
{
    ASSERT_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 71000);
    ASSERT_EQ(gettid() == getpid(), 0);
    return argument;
}

int main(void)
{
    sem_init(&go, 0, 0);
    sem_init(&gone, 0, 0);
    main_thread = pthread_self();
    spawn(from_before, NULL);
    SYS(prctl(PR_SET_TIMERSLACK, 71000, 0, 0, 0));
    ASSERT_EQ(gettid(), getpid());
    for (int i = 0; i < 10; i++) join(spawn(from_after, NULL));
    ASSERT_EQ(system("exit 5"), 5 << 8);
    sem_post(&go);
    while (sem_wait(&gone) != 0) {}
    pthread_exit(NULL);
}
