// The id of any thread names its process for kill, sigqueue, getpgid, getsid, prlimit, kcmp and the calls on a process's memory, and none for setpgid and
// pidfd_open; and the main thread's name is the process's.
#include "coop-test.h"
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>

static pid_t id;
static sem_t ready, leave;
static volatile int came;

static void *waits(void *unused)
{
    id = my_tid();
    sem_post(&ready);
    while (sem_wait(&leave) == -1) ASSERT_EQ(errno, EINTR);
    // Only by its own id may a thread say what the kernel says.
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_USER};
    came = 0;
    FAILS(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info), EPERM);
    SYS(syscall(SYS_rt_sigqueueinfo, id, SIGUSR1, &info));
    UNTIL(came == 1);
    return unused;
}

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(signal, SIGUSR1);
    ASSERT_EQ(info->si_code, came == 0 ? SI_USER : SI_QUEUE);
    came++;
}

static void name_is(const char *expected)
{
    char text[32];
    int fd = SYS(open("/proc/self/comm", O_RDONLY));
    ssize_t size = SYS(read(fd, text, sizeof text));
    SYS(close(fd));
    ASSERT_GT(size, 0);
    text[size - 1] = 0;
    if (strcmp(text, expected) != 0) FAIL("the process is called %s, not %s", text, expected);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    struct rlimit limit, same;
    SYS(sigaction(SIGUSR1, &action, NULL));
    pthread_t other = spawn(waits, NULL);
    sem_wait(&ready);
    ASSERT_NE(id, getpid());
    SYS(kill(id, 0));
    SYS(kill(id, SIGUSR1));
    UNTIL(came == 1);
    SYS(sigqueue(id, SIGUSR1, (union sigval){.sival_int = 5}));
    UNTIL(came == 2);
    ASSERT_EQ(getpgid(id), getpgid(0));
    ASSERT_EQ(getsid(id), getsid(0));
    SYS(getrlimit(RLIMIT_NOFILE, &limit));
    SYS(prlimit(id, RLIMIT_NOFILE, NULL, &same));
    ASSERT_EQ(limit.rlim_cur, same.rlim_cur);
    limit.rlim_cur--;
    SYS(prlimit(id, RLIMIT_NOFILE, &limit, NULL));
    SYS(getrlimit(RLIMIT_NOFILE, &same));
    ASSERT_EQ(limit.rlim_cur, same.rlim_cur);

    char from[] = "bytes", to[sizeof from] = "";
    struct iovec own = {to, sizeof to}, named = {from, sizeof from};
    ASSERT_EQ(SYS(process_vm_readv(id, &own, 1, &named, 1, 0)), sizeof to);
    ASSERT_STR(to, "bytes");
    from[0] = 'B';
    ASSERT_EQ(SYS(process_vm_writev(id, &named, 1, &own, 1, 0)), sizeof to);
    ASSERT_STR(to, "Bytes");
    enum { VM = 1, FILES = 2 };
    for (int what = VM; what <= FILES; what++) {
        ASSERT_EQ(syscall(SYS_kcmp, id, getpid(), what, 0, 0), syscall(SYS_kcmp, getpid(), getpid(), what, 0, 0));
        ASSERT_EQ(syscall(SYS_kcmp, getpid(), id, what, 0, 0), syscall(SYS_kcmp, getpid(), getpid(), what, 0, 0));
    }
    // Another process is another process, whichever thread asks. (KCMP_VM)
    pid_t child = SYS(fork());
    if (child == 0) {
        pause();
        _exit(0);
    }
    ASSERT_NE(SYS(syscall(SYS_kcmp, getpid(), child, VM, 0, 0)), 0);
    ASSERT_NE(SYS(syscall(SYS_kcmp, child, getpid(), VM, 0, 0)), 0);
    // (KCMP_FILE)
    ASSERT_EQ(SYS(syscall(SYS_kcmp, getpid(), child, 0, 0, 0)), 0);
    SYS(kill(child, SIGKILL));
    SYS(waitpid(child, NULL, 0));
    void *page = (void *)((uintptr_t)from & -4096UL);
    int node = -1, own_node = -1;
    ASSERT_EQ(syscall(SYS_move_pages, id, 1, &page, NULL, &node, 0),
              syscall(SYS_move_pages, getpid(), 1, &page, NULL, &own_node, 0));
    ASSERT_EQ(node, own_node);
    FAILS(setpgid(id, 0), EINVAL);
    ASSERT_EQ(syscall(SYS_pidfd_open, id, 0), -1);
    ASSERT_NE(errno, ESRCH);

    SYS(prctl(PR_SET_NAME, "by prctl"));
    name_is("by prctl");
    OK(pthread_setname_np(pthread_self(), "by its thread"));
    name_is("by its thread");
    OK(pthread_setname_np(other, "another"));
    name_is("by its thread");
    SYS(prctl(PR_SET_NAME, ""));
    name_is("");

    sem_post(&leave);
    join(other);
    // Natively a thread may be joined a moment before its id is gone.
    UNTIL(kill(id, 0) == -1 && errno == ESRCH);
    return 0;
}
