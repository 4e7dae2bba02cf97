// C11 <threads.h>: thrd, mtx (plain, recursive, timed), cnd, tss with destructor, call_once, thrd_sleep.
#include "coop-test.h"
#include <threads.h>

#define SUCCEEDS(call) ASSERT_EQ(call, thrd_success)

static mtx_t lock, timed;
static cnd_t changed;
static tss_t slot;
static once_flag flag = ONCE_FLAG_INIT;
static int turn, once_calls;
static _Atomic int ended;

static void once(void) { once_calls++; }
static void end(void *value) { ended += *(int *)value; }

static int body(void *argument)
{
    int *me = argument;
    call_once(&flag, once);
    SUCCEEDS(tss_set(slot, me));
    SUCCEEDS(thrd_sleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL));
    struct timespec soon = in_ms(CLOCK_REALTIME, 20);
    ASSERT_EQ(mtx_timedlock(&timed, &soon), thrd_timedout);
    SUCCEEDS(mtx_lock(&lock));
    while (turn != *me) SUCCEEDS(cnd_wait(&changed, &lock));
    turn++;
    SUCCEEDS(cnd_broadcast(&changed));
    SUCCEEDS(mtx_unlock(&lock));
    ASSERT_PTR(tss_get(slot), me);
    return *me * 3;
}

int main(void)
{
    thrd_t threads[10];
    int numbers[10], result;
    SUCCEEDS(mtx_init(&lock, mtx_plain | mtx_recursive));
    SUCCEEDS(mtx_init(&timed, mtx_timed));
    SUCCEEDS(cnd_init(&changed));
    SUCCEEDS(tss_create(&slot, end));
    SUCCEEDS(mtx_lock(&timed));
    for (int i = 9; i >= 0; i--) {
        numbers[i] = i;
        SUCCEEDS(thrd_create(&threads[i], body, &numbers[i]));
    }
    for (int i = 0; i < 10; i++) {
        SUCCEEDS(thrd_join(threads[i], &result));
        ASSERT_EQ(result, i * 3);
    }
    ASSERT_EQ(turn, 10);
    ASSERT_EQ(once_calls, 1);
    ASSERT_EQ(ended, 45);
    return 0;
}
