// A timer on another thread's CPU clock: whoever made it is told as that one computes. When it has ended the timer stands still.
#include "../time/cpu.h"

static _Atomic int go, stop, came, by_function;

static void *computes(void *unused)
{
    UNTIL(go);
    while (!stop) work();
    return unused;
}

static void handler(int number)
{
    ASSERT_EQ(number, SIGUSR1);
    came++;
}

static void function(union sigval value)
{
    ASSERT_EQ(value.sival_int, 5);
    by_function++;
}

static void *maker(void *unused)
{
    pthread_t other = spawn(computes, NULL);
    clockid_t clock = clock_of(other);
    timer_t to_process, to_me, calls;
    struct itimerspec every = {{0, 10 * NS_PER_MS}, {0, 10 * NS_PER_MS}}, shows;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    SYS(timer_create(clock, &event, &to_process));
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_notify_thread_id = my_tid();
    SYS(timer_create(clock, &event, &to_me));
    struct sigevent called = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = function, .sigev_value.sival_int = 5};
    SYS(timer_create(clock, &called, &calls));

    SYS(timer_settime(to_process, 0, &every, NULL));
    sleep_ms(30);
    ASSERT_EQ(came, 0);
    go = 1;
    UNTIL(came >= 3);
    SYS(timer_settime(to_process, 0, &(struct itimerspec){0}, NULL));
    int before = came;
    SYS(timer_settime(to_me, 0, &every, NULL));
    UNTIL(came >= before + 3);
    SYS(timer_settime(calls, 0, &every, NULL));
    UNTIL(by_function >= 3);
    stop = 1;
    join(other);

    UNTIL(timer_settime(to_process, 0, &every, NULL) == -1 && errno == ESRCH);
    SYS(timer_gettime(to_me, &shows));
    ASSERT_EQ(shows.it_value.tv_sec, 0);
    ASSERT_EQ(shows.it_value.tv_nsec, 0);
    SYS(timer_delete(to_process));
    SYS(timer_delete(to_me));
    SYS(timer_delete(calls));
    FAILS(timer_create(clock, &event, &to_me), EINVAL);
    return unused;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_RESTART);
    join(spawn(maker, NULL));
    return 0;
}
