// A timer on a thread's own CPU clock: its signals come as the thread computes, none while it sleeps and none too early, and with what they count as
// overruns they are as many as the time makes.
#include "../time/cpu.h"

enum { EVERY_MS = 5 };
static __thread volatile int64_t expired;
static __thread volatile pid_t me;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGRTMIN + 1);
    ASSERT_EQ(info->si_code, SI_TIMER);
    ASSERT_EQ(info->si_value.sival_int, 77);
    ASSERT_EQ(my_tid(), me);
    ASSERT_GE(info->si_overrun, 0);
    expired += 1 + info->si_overrun;
}

static void *body(void *unused)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 77};
    struct itimerspec every = {{0, EVERY_MS * NS_PER_MS}, {0, EVERY_MS * NS_PER_MS}}, left;
    event.sigev_notify_thread_id = me = my_tid();
    SYS(timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer));
    int64_t start = my_cpu();
    SYS(timer_settime(timer, 0, &every, NULL));
    SYS(timer_gettime(timer, &left));
    ASSERT_EQ(left.it_interval.tv_nsec, EVERY_MS * NS_PER_MS);
    ASSERT_LE(left.it_value.tv_nsec, EVERY_MS * NS_PER_MS);
    ASSERT_GT(left.it_value.tv_nsec, 0);
    while (expired < 20) {
        work();
        ASSERT_LE(expired * EVERY_MS * NS_PER_MS, my_cpu() - start);
    }
    // In sleep there is none (but for what was due just before it).
    sleep_ms(EVERY_MS);
    int64_t before = expired;
    sleep_ms(20 * EVERY_MS);
    ASSERT_LE(expired, before + 1);
    compute_ms(20 * EVERY_MS);
    ASSERT_LE(expired * EVERY_MS * NS_PER_MS, my_cpu() - start);
    // What has not been told yet comes: what is lost would be missing for ever.
    while ((expired + 10) * EVERY_MS * NS_PER_MS < my_cpu() - start) work();
    SYS(timer_delete(timer));
    before = expired;
    compute_ms(4 * EVERY_MS);
    ASSERT_EQ(expired, before);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    SYS(sigaction(SIGRTMIN + 1, &action, NULL));
    pthread_t first = spawn(body, NULL), second = spawn(body, NULL);
    body(NULL);
    join(first);
    join(second);
    return 0;
}
