// A thread's CPU clock begins near 0, whatever those have used that were there before; the first thread's goes on from what it had.
#include "cpu.h"

static void *computes(void *unused)
{
    (void)unused;
    ASSERT_LT(my_cpu(), 10 * NS_PER_MS);
    compute_ms(15);
    return NULL;
}

int main(void)
{
    compute_ms(30);
    int64_t before = my_cpu();
    pthread_t ahead = spawn(computes, NULL);
    int64_t after = my_cpu();
    ASSERT_GE(after, before);
    join(ahead);
    for (int i = 0; i < 10; i++) join(spawn(computes, NULL));
    // What the others used is theirs.
    ASSERT_GE(my_cpu(), after);
    ASSERT_LT(my_cpu(), after + 75 * NS_PER_MS);
    return 0;
}
