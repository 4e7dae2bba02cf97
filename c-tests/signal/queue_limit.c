// RLIMIT_SIGPENDING: a real-time signal more than that is refused with EAGAIN, for the process and for a thread; kill(2) is not.
#include "coop-test.h"
#include <sys/resource.h>

// The signals that wait for all processes of this user.
static rlim_t pending_of_user(void)
{
    char line[256];
    unsigned long queued = 0;
    FILE *status = fopen("/proc/self/status", "r");
    ASSERT(status != NULL);
    while (fgets(line, sizeof line, status) && sscanf(line, "SigQ: %lu", &queued) != 1) continue;
    fclose(status);
    return queued;
}

// The limit counts them all: what there is now, and some room.
static void set_limit(void)
{
    struct rlimit limit;
    SYS(getrlimit(RLIMIT_SIGPENDING, &limit));
    limit.rlim_cur = pending_of_user() + 500;
    SYS(setrlimit(RLIMIT_SIGPENDING, &limit));
}

static void *body(void *unused)
{
    sigset_t set = signal_set(SIGRTMIN), pending;
    siginfo_t info;
    struct timespec none = {0, 0};
    for (int to_thread = 0; to_thread < 2; to_thread++) {
        int sent = 0, error;
        union sigval value = {.sival_int = 0};
        do {
            // (Others may have taken all the room meanwhile.)
            set_limit();
            error = 0;
            while (error == 0 && sent < 100000) {
                if (to_thread) error = pthread_sigqueue(pthread_self(), SIGRTMIN, value);
                else error = sigqueue(getpid(), SIGRTMIN, value) == 0 ? 0 : errno;
                if (error == 0) value.sival_int = ++sent;
            }
            ASSERT_EQ(error, EAGAIN);
        } while (sent == 0);
        OK(pthread_kill(pthread_self(), SIGUSR1));
        SYS(sigpending(&pending));
        ASSERT(sigismember(&pending, SIGUSR1));
        for (int i = 0; i < sent; i++) {
            ASSERT_EQ(SYS(sigtimedwait(&set, &info, &none)), SIGRTMIN);
            ASSERT_EQ(info.si_value.sival_int, i);
        }
        FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
        sigset_t user = signal_set(SIGUSR1);
        ASSERT_EQ(SYS(sigtimedwait(&user, NULL, &none)), SIGUSR1);
    }
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGRTMIN);
    sigaddset(&set, SIGUSR1);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
