// A handler ends a sleep with EINTR and what was left of it, SA_RESTART or not; an absolute sleep leaves nothing.
#include "coop-test.h"

static _Atomic int done;
static _Atomic int handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *relative(void *unused)
{
    (void)unused;
    struct timespec time = {.tv_sec = 20}, left = {.tv_sec = -1};
    int64_t start = now_ns(CLOCK_MONOTONIC);
    FAILS(nanosleep(&time, &left), EINTR);
    int64_t slept = now_ns(CLOCK_MONOTONIC) - start, rest = left.tv_sec * NS_PER_S + left.tv_nsec;
    // Together at least what was asked for: the clock was read outside the sleep.
    ASSERT_GT(rest, 0);
    ASSERT_GE(slept + rest, 20 * NS_PER_S);
    // Linux counts what is left from the end of the timer's slack.
    ASSERT_LE(rest, 20 * NS_PER_S + NS_PER_S / 1000);
    done = 1;
    return NULL;
}

static void *absolute(void *unused)
{
    (void)unused;
    struct timespec time = in_ms(CLOCK_MONOTONIC, 20000), left = {.tv_sec = -7};
    GIVES(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, &left), EINTR);
    ASSERT_EQ(left.tv_sec, -7);
    done = 1;
    return NULL;
}

static void interrupt(void *(*body)(void *), int flags)
{
    on_signal(SIGUSR1, handler, flags);
    done = 0;
    pthread_t thread = spawn(body, NULL);
    while (!done) {
        pthread_kill(thread, SIGUSR1);
        sleep_ms(10);
    }
    join(thread);
}

int main(void)
{
    interrupt(relative, 0);
    interrupt(relative, SA_RESTART);
    interrupt(absolute, 0);
    ASSERT_GE(handled, 3);
    return 0;
}
