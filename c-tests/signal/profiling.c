// A profiler's timer (ITIMER_PROF) interrupts whatever computes, with registers that lie in the program, and changes nothing there.
#include "coop-test.h"
#include <stdatomic.h>
#include <sys/time.h>
#include <ucontext.h>

static _Atomic int samples;
static _Atomic int stop;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    ASSERT(((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] != 0);
    samples++;
}

static void *body(void *unused)
{
    static const uint64_t seed = 88172645463325252ull;
    static _Atomic uint64_t known;
    do {
        uint64_t x = seed, none = 0;
        double sum = 0;
        for (int i = 0; i < 20000; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            sum += (double)(x >> 40);
        }
        // All rounds of all threads make the same number.
        ASSERT(atomic_compare_exchange_strong(&known, &none, x) || none == x);
        ASSERT(sum > 0);
    } while (!stop);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    SYS(sigaction(SIGPROF, &action, NULL));
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = spawn(body, NULL);
    struct itimerval often = {{0, 1000}, {0, 1000}};
    SYS(setitimer(ITIMER_PROF, &often, NULL));
    UNTIL(samples >= 10);
    struct itimerval never = {{0, 0}, {0, 0}};
    SYS(setitimer(ITIMER_PROF, &never, NULL));
    stop = 1;
    for (int i = 0; i < 3; i++) join(threads[i]);
    return 0;
}
