// Several pending signals unblocked at once: all handlers run before the call returns, each in the frame of the one before, as natively.
#include "coop-test.h"

static __thread volatile int order[4], count;

static void handler(int number)
{
    order[count++] = number;
}

static void *body(void *unused)
{
    sigset_t set;
    sigemptyset(&set);
    int numbers[] = {SIGUSR1, SIGUSR2, SIGRTMIN, SIGRTMIN + 1};
    for (int i = 0; i < 4; i++) sigaddset(&set, numbers[i]);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    count = 0;
    for (int i = 3; i >= 0; i--) OK(pthread_kill(pthread_self(), numbers[i]));
    ASSERT_EQ(count, 0);
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    ASSERT_EQ(count, 4);
    // The last one whose frame was laid is the first to run.
    for (int i = 0; i < 4; i++) ASSERT_EQ(order[i], numbers[3 - i]);
    return unused;
}

int main(void)
{
    int numbers[] = {SIGUSR1, SIGUSR2, SIGRTMIN, SIGRTMIN + 1};
    for (int i = 0; i < 4; i++) on_signal(numbers[i], handler, 0);
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
