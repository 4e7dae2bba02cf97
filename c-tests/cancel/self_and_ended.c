// A thread may cancel itself; to cancel one that has ended and was not joined is no error and changes nothing.
#include "coop-test.h"

static _Atomic int ended;

static void *cancels_itself(void *unused)
{
    (void)unused;
    OK(pthread_cancel(pthread_self()));
    for (volatile int i = 0; i < 1000; i++) continue;
    pthread_testcancel();
    FAIL("not cancelled");
}

static void *ends(void *value)
{
    ended = 1;
    return value;
}

int main(void)
{
    ASSERT_PTR(join(spawn(cancels_itself, NULL)), PTHREAD_CANCELED);
    pthread_t thread = spawn(ends, (void *)5);
    UNTIL(ended);
    let_others_block();
    pthread_cancel(thread);
    ASSERT_PTR(join(thread), (void *)5);
    return 0;
}
