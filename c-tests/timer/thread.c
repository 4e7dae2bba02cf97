// SIGEV_THREAD: a timer runs a function in a thread of its own, once and again, with its value, until it is deleted.
#include "coop-test.h"

static _Atomic int ticks, once;

static void on_tick(union sigval value)
{
    ASSERT_EQ(value.sival_int, 31);
    ASSERT_NE(my_tid(), getpid());
    ticks++;
}

static void on_once(union sigval value)
{
    ASSERT_PTR(value.sival_ptr, &once);
    sleep_ms(1);
    once++;
}

int main(void)
{
    timer_t often, single;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 31};
    event.sigev_notify_function = on_tick;
    pthread_t other = spawn(pause_for_ever, NULL);
    SYS(timer_create(CLOCK_MONOTONIC, &event, &often));
    event.sigev_notify_function = on_once;
    event.sigev_value.sival_ptr = &once;
    SYS(timer_create(CLOCK_REALTIME, &event, &single));
    struct itimerspec every = {{0, 2 * NS_PER_MS}, {0, 2 * NS_PER_MS}}, in = {{0, 0}, {0, 5 * NS_PER_MS}};
    SYS(timer_settime(often, 0, &every, NULL));
    SYS(timer_settime(single, 0, &in, NULL));
    UNTIL(ticks >= 5 && once == 1);
    SYS(timer_delete(often));
    SYS(timer_delete(single));
    FAILS(timer_delete(single), EINVAL);
    ASSERT_EQ(once, 1);
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
