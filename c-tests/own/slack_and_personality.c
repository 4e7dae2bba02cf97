// Timer slack and personality are a thread's: one sets them and has them, the others have what they had.
#include "own.h"
#include <sys/personality.h>

static pthread_barrier_t barrier;
static int before;

static void *sets(void *argument)
{
    unsigned long mine = (unsigned long)(intptr_t)argument;
    SYS(prctl(PR_SET_TIMERSLACK, mine, 0, 0, 0));
    if (mine % 2) SYS(personality(before | ADDR_NO_RANDOMIZE));
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), mine);
        ASSERT_EQ(personality(0xffffffff), mine % 2 ? before | ADDR_NO_RANDOMIZE : before);
        sleep_ms(1);
    }
    pthread_barrier_wait(&barrier);
    return NULL;
}

int main(void)
{
    pthread_t threads[3];
    before = SYS(personality(0xffffffff));
    if (before & ADDR_NO_RANDOMIZE) SKIP("addresses are not random to begin with");
    long slack = SYS(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 3; i++) threads[i] = spawn(sets, (void *)(intptr_t)(12345 + i));
    pthread_barrier_wait(&barrier);
    ASSERT_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), slack);
    ASSERT_EQ(personality(0xffffffff), before);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 3; i++) join(threads[i]);
    return 0;
}
