// A mutex lock is no cancellation point: a cancelled thread gets the mutex it waits for, and ends at the next point.
#include "coop-test.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int locked;

static void *body(void *unused)
{
    (void)unused;
    OK(pthread_mutex_lock(&lock));
    locked = 1;
    OK(pthread_mutex_unlock(&lock));
    pthread_testcancel();
    FAIL("pthread_testcancel returned");
}

int main(void)
{
    OK(pthread_mutex_lock(&lock));
    pthread_t thread = spawn(body, NULL);
    let_others_block();
    OK(pthread_cancel(thread));
    let_others_block();
    ASSERT_EQ(locked, 0);
    OK(pthread_mutex_unlock(&lock));
    ASSERT_PTR(join(thread), PTHREAD_CANCELED);
    ASSERT_EQ(locked, 1);
    return 0;
}
