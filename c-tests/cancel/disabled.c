// A thread that disabled cancellation finishes its wait; the request acts when it enables it again and tests.
#include "coop-test.h"

static int ends[2];
static sem_t disabled;
static _Atomic int got;

static void *body(void *unused)
{
    (void)unused;
    char byte;
    int old;
    OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old));
    ASSERT_EQ(old, PTHREAD_CANCEL_ENABLE);
    SYS(sem_post(&disabled));
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    got = byte;
    OK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old));
    ASSERT_EQ(old, PTHREAD_CANCEL_DISABLE);
    pthread_testcancel();
    FAIL("pthread_testcancel returned");
}

int main(void)
{
    SYS(sem_init(&disabled, 0, 0));
    SYS(pipe(ends));
    pthread_t thread = spawn(body, NULL);
    SYS(sem_wait(&disabled));
    OK(pthread_cancel(thread));
    let_others_block();
    ASSERT_EQ(got, 0);
    SYS(write(ends[1], "z", 1));
    ASSERT_PTR(join(thread), PTHREAD_CANCELED);
    ASSERT_EQ(got, 'z');
    return 0;
}
