// Rounding mode and exception masks (MXCSR, x87 control word) belong to a thread, are inherited, and survive waits.
// libs: -lm
#include "coop-test.h"
#include <fenv.h>

static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
static pthread_barrier_t together;

static void rounds_as(int mode)
{
    volatile double one = 1, three = 3;
    volatile long double long_one = 1, long_three = 3;
    volatile double up = one / three;
    volatile double down = -one / three;
    volatile long double long_up = long_one / long_three, long_down = -long_one / long_three;
    ASSERT_EQ(fegetround(), mode);
    // A third up and down tell the modes apart: each is nearer to zero, or not, than its opposite.
    int symmetric = mode == FE_TONEAREST || mode == FE_TOWARDZERO;
    ASSERT_EQ(up == -down, symmetric);
    ASSERT_EQ(long_up == -long_down, symmetric);
    if (!symmetric) ASSERT_EQ(up > -down, mode == FE_UPWARD);
    if (!symmetric) ASSERT_EQ(long_up > -long_down, mode == FE_UPWARD);
}

static void *body(void *argument)
{
    // As its creator's.
    rounds_as(FE_UPWARD);
    int mode = modes[(intptr_t)argument % 4];
    ASSERT_EQ(fesetround(mode), 0);
    pthread_barrier_wait(&together);
    for (int i = 0; i < 20; i++) {
        rounds_as(mode);
        sched_yield();
        if (i % 5 == 0) sleep_ms(1);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[8];
    OK(pthread_barrier_init(&together, NULL, 9));
    ASSERT_EQ(fesetround(FE_UPWARD), 0);
    for (intptr_t i = 0; i < 8; i++) threads[i] = spawn(body, (void *)i);
    pthread_barrier_wait(&together);
    rounds_as(FE_UPWARD);
    for (int i = 0; i < 8; i++) join(threads[i]);
    rounds_as(FE_UPWARD);
    return 0;
}
