// A handler set and a mask changed before the first thread exists still hold after; so does a signal pending then.
#include "coop-test.h"

static _Atomic int handled;

static void handler(int number)
{
    handled += number == SIGUSR1 ? 1 : 100;
}

int main(void)
{
    sigset_t set = signal_set(SIGUSR2), now;
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGUSR2, handler, 0);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    raise(SIGUSR2);
    pthread_t thread = spawn(pause_for_ever, NULL);
    let_others_block();
    raise(SIGUSR1);
    ASSERT_EQ(handled, 1);
    OK(pthread_sigmask(SIG_SETMASK, NULL, &now));
    ASSERT(sigismember(&now, SIGUSR2));
    SYS(sigpending(&now));
    ASSERT(sigismember(&now, SIGUSR2));
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    ASSERT_EQ(handled, 101);
    OK(pthread_cancel(thread));
    join(thread);
    return 0;
}
