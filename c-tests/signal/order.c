// Pending signals are taken by number, real-time ones of a number in the order sent, each with its value; standard ones once.
#include "coop-test.h"

static void *body(void *argument)
{
    int to_thread = argument != NULL;
    sigset_t set;
    siginfo_t info;
    struct timespec none = {0, 0};
    sigfillset(&set);
    for (int i = 0; i < 3; i++) {
        for (int offset = 4; offset >= 0; offset--) {
            union sigval value = {.sival_int = 10 * offset + i};
            if (to_thread) OK(pthread_sigqueue(pthread_self(), SIGRTMIN + offset, value));
            else SYS(sigqueue(getpid(), SIGRTMIN + offset, value));
        }
        for (int number = SIGUSR2; number >= SIGUSR1; number -= SIGUSR2 - SIGUSR1) {
            if (to_thread) OK(pthread_kill(pthread_self(), number));
            else SYS(kill(getpid(), number));
        }
    }
    ASSERT_EQ(SYS(sigtimedwait(&set, &info, &none)), SIGUSR1);
    // libc says so of SI_TKILL, too.
    ASSERT_EQ(info.si_code, SI_USER);
    ASSERT_EQ(info.si_pid, getpid());
    ASSERT_EQ(info.si_uid, getuid());
    ASSERT_EQ(SYS(sigtimedwait(&set, &info, &none)), SIGUSR2);
    for (int offset = 0; offset < 5; offset++)
        for (int i = 0; i < 3; i++) {
            ASSERT_EQ(SYS(sigtimedwait(&set, &info, &none)), SIGRTMIN + offset);
            ASSERT_EQ(info.si_value.sival_int, 10 * offset + i);
            ASSERT_EQ(info.si_code, SI_QUEUE);
        }
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
    return NULL;
}

int main(void)
{
    sigset_t all;
    sigfillset(&all);
    OK(pthread_sigmask(SIG_BLOCK, &all, NULL));
    for (intptr_t to_thread = 0; to_thread < 2; to_thread++) {
        join(spawn(body, (void *)to_thread));
        body((void *)to_thread);
    }
    return 0;
}
