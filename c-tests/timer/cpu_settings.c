// Timers on CPU clocks: what timer_settime and timer_gettime tell and refuse, absolute times, one that is over already, none to tell, and what is made
// without a word.
#include "../time/cpu.h"
#include <sys/syscall.h>

static volatile int came;
static volatile int value;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGALRM);
    ASSERT_EQ(info->si_code, SI_TIMER);
    value = info->si_value.sival_int;
    came++;
}

static int64_t ns_of(struct timespec time)
{
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void *body(void *unused)
{
    timer_t silent, plain;
    struct itimerspec shows, old, late = {{0, 0}, {100, 0}}, never = {0};
    struct sigevent none = {.sigev_notify = SIGEV_NONE}, wrong = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
    struct sigevent unknown = {.sigev_notify = 77, .sigev_signo = SIGUSR1};
    FAILS(timer_create(CLOCK_THREAD_CPUTIME_ID, &wrong, &plain), EINVAL);
    FAILS(timer_create(CLOCK_THREAD_CPUTIME_ID, &unknown, &plain), EINVAL);
    FAILS(timer_create(clock_number(0x1ffffff0, 2), NULL, &plain), EINVAL);

    SYS(timer_create(CLOCK_THREAD_CPUTIME_ID, &none, &silent));

    // A timer of which nothing is said sends SIGALRM, with its number. (libc would say something.)
    int number;
    SYS(syscall(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, NULL, &number));
    ASSERT_NE(number, 0);
    plain = (timer_t)(intptr_t)number;
    SYS(timer_gettime(plain, &shows));
    ASSERT_EQ(ns_of(shows.it_value), 0);
    SYS(timer_settime(plain, 0, &late, &old));
    ASSERT_EQ(ns_of(old.it_value), 0);
    SYS(timer_gettime(plain, &shows));
    ASSERT_LE(ns_of(shows.it_value), 100 * NS_PER_S);
    ASSERT_GT(ns_of(shows.it_value), 99 * NS_PER_S);
    compute_ms(20);
    struct itimerspec now = {{0, 0}, {0, 1}};
    SYS(timer_settime(plain, TIMER_ABSTIME, &now, &old));
    ASSERT_LE(ns_of(old.it_value), 100 * NS_PER_S - 20 * NS_PER_MS);
    // It is over: its signal has come by now, and there is no other.
    UNTIL(came == 1);
    ASSERT_EQ(value, number);
    SYS(timer_gettime(plain, &shows));
    ASSERT_EQ(ns_of(shows.it_value), 0);
    int64_t at = my_cpu() + 20 * NS_PER_MS;
    struct itimerspec then = {{0, 0}, {at / NS_PER_S, at % NS_PER_S}};
    SYS(timer_settime(plain, TIMER_ABSTIME, &then, NULL));
    while (came == 1) work();
    ASSERT_GE(my_cpu(), at);
    SYS(timer_settime(plain, 0, &late, NULL));
    SYS(timer_settime(plain, 0, &never, &old));
    ASSERT_GT(ns_of(old.it_value), 99 * NS_PER_S);
    SYS(timer_gettime(plain, &shows));
    ASSERT_EQ(ns_of(shows.it_value), 0);

    struct itimerspec bad = {{0, 0}, {0, NS_PER_S}}, negative = {{-1, 0}, {1, 0}};
    FAILS(timer_settime(plain, 0, &bad, NULL), EINVAL);
    FAILS(timer_settime(plain, 0, &negative, NULL), EINVAL);
    FAILS(syscall(SYS_timer_settime, plain, 0, NULL, NULL), EINVAL);
    FAILS(syscall(SYS_timer_settime, plain, 0, 8, NULL), EFAULT);
    FAILS(syscall(SYS_timer_gettime, plain, 8), EFAULT);

    // One that tells nobody can be asked.
    struct itimerspec often = {{0, 3 * NS_PER_MS}, {0, 3 * NS_PER_MS}}, once = {{0, 0}, {0, 3 * NS_PER_MS}};
    SYS(timer_settime(silent, 0, &often, NULL));
    compute_ms(20);
    SYS(timer_gettime(silent, &shows));
    ASSERT_GT(ns_of(shows.it_value), 0);
    ASSERT_LE(ns_of(shows.it_value), 3 * NS_PER_MS);
    SYS(timer_settime(silent, 0, &once, NULL));
    compute_ms(20);
    SYS(timer_gettime(silent, &shows));
    ASSERT_EQ(ns_of(shows.it_value), 0);
    ASSERT_EQ(came, 2);
    // The shortest interval there is: its signals come, and other things do, too.
    int before = came;
    struct itimerspec always = {{0, 1}, {0, 1}};
    SYS(timer_settime(plain, 0, &always, NULL));
    while (came < before + 3) work();
    SYS(timer_settime(plain, 0, &never, NULL));
    SYS(timer_delete(silent));
    SYS(timer_delete(plain));
    FAILS(syscall(SYS_timer_gettime, plain, &shows), EINVAL);
    FAILS(syscall(SYS_timer_settime, plain, 0, &late, NULL), EINVAL);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    SYS(sigaction(SIGALRM, &action, NULL));
    join(spawn(body, NULL));
    came = 0;
    body(NULL);
    return 0;
}
