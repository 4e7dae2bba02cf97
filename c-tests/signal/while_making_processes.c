// A thread that makes processes, or fails to become another program, is sent signals all the while: each is handled once, by the thread that it is for,
// and no child has any.
#include "../process/making.h"

enum { SENT = 400, AT_A_TIME = 8 };

// On an OS thread of its own, where the library carries the calls out itself.
static void becomes_nothing_apart(void)
{
    SYS(unshare(CLONE_FS));
    becomes_nothing();
}

static void vforks_apart(void)
{
    SYS(unshare(CLONE_FS));
    vforks();
}

static void (*const deeds[])(void) = {
    forks, clones_and_waits, vforks, spawns_nothing, becomes_nothing, becomes_nothing_apart, vforks_apart,
};
enum { DEEDS = sizeof deeds / sizeof *deeds };

static pthread_t workers[DEEDS];
static int own[DEEDS], everybodys, strangers, over;

static void for_thread(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    int worker = info->si_value.sival_int;
    if (!pthread_equal(pthread_self(), workers[worker])) __atomic_fetch_add(&strangers, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&own[worker], 1, __ATOMIC_SEQ_CST);
}

static void for_process(int number)
{
    (void)number;
    __atomic_fetch_add(&everybodys, 1, __ATOMIC_SEQ_CST);
}

static int handled(int *count)
{
    return __atomic_load_n(count, __ATOMIC_SEQ_CST);
}

static void *does(void *deed)
{
    while (!handled(&over)) deeds[(long)deed]();
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = for_thread, .sa_flags = SA_SIGINFO | SA_RESTART};
    SYS(sigaction(SIGRTMIN, &action, NULL));
    on_signal(SIGRTMIN + 1, for_process, SA_RESTART);
    for (long deed = 0; deed < DEEDS; deed++) workers[deed] = spawn(does, (void *)deed);
    // The process's are the workers' to handle.
    sigset_t set = signal_set(SIGRTMIN + 1);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    for (int sent = 0; sent < SENT;) {
        for (int i = 0; i < AT_A_TIME; i++, sent++) {
            for (int worker = 0; worker < DEEDS; worker++)
                OK(pthread_sigqueue(workers[worker], SIGRTMIN, (union sigval){.sival_int = worker}));
            SYS(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){0}));
        }
        for (int worker = 0; worker < DEEDS; worker++) UNTIL(handled(&own[worker]) >= sent);
        UNTIL(handled(&everybodys) >= sent);
    }
    __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
    for (int worker = 0; worker < DEEDS; worker++) {
        join(workers[worker]);
        ASSERT_EQ(own[worker], SENT);
    }
    ASSERT_EQ(everybodys, SENT);
    ASSERT_EQ(strangers, 0);
    return 0;
}
