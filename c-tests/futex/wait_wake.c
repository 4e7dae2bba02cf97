// FUTEX_WAIT waits until FUTEX_WAKE, with and without the private flag; WAKE of nobody is 0.
#include "coop-test.h"

static uint32_t word;
static _Atomic int woken;

static void *body(void *argument)
{
    // Only a wake-up returns 0; the value never changes.
    ASSERT_EQ(futex(&word, FUTEX_WAIT | (int)(intptr_t)argument, 0, NULL, NULL, 0), 0);
    woken++;
    return NULL;
}

int main(void)
{
    static const intptr_t flags[] = {0, FUTEX_PRIVATE_FLAG};
    for (int i = 0; i < 2; i++) {
        int wake = FUTEX_WAKE | (int)flags[i];
        ASSERT_EQ(futex(&word, wake, INT_MAX, NULL, NULL, 0), 0);
        woken = 0;
        pthread_t thread = spawn(body, (void *)flags[i]);
        UNTIL(futex(&word, wake, 1, NULL, NULL, 0) == 1);
        join(thread);
        ASSERT_EQ(woken, 1);
        ASSERT_EQ(futex(&word, wake, 1, NULL, NULL, 0), 0);
    }
    return 0;
}
