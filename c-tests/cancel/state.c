// Disabled cancellation is kept for later, through waits; the old state and type are told; bad values are refused.
#include "coop-test.h"

static int ends[2];
static _Atomic int cancelled, passed;

static void *body(void *unused)
{
    int old;
    char byte;
    (void)unused;
    GIVES(pthread_setcancelstate(12345, &old), EINVAL);
    GIVES(pthread_setcanceltype(12345, &old), EINVAL);
    OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old));
    ASSERT_EQ(old, PTHREAD_CANCEL_ENABLE);
    passed = 1;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    ASSERT_EQ(cancelled, 1);
    sleep_ms(1);
    pthread_testcancel();
    passed = 2;
    OK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old));
    ASSERT_EQ(old, PTHREAD_CANCEL_DISABLE);
    pthread_testcancel();
    FAIL("not cancelled");
}

int main(void)
{
    SYS(pipe(ends));
    pthread_t thread = spawn(body, NULL);
    UNTIL(passed == 1);
    let_others_block();
    OK(pthread_cancel(thread));
    cancelled = 1;
    let_others_block();
    ASSERT_EQ(passed, 1);
    SYS(write(ends[1], "x", 1));
    ASSERT_PTR(join(thread), PTHREAD_CANCELED);
    ASSERT_EQ(passed, 2);
    return 0;
}
