// A sandbox's own handler answers calls that its filter traps (SECCOMP_RET_TRAP): it sees the call, its arguments and its thread, and what it leaves
// in the registers is the call's result. A call that nobody answers ends the process.
#include "own.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <ucontext.h>

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif
enum { REASON = 77, UMASK_ANSWER = 0123 };

// umask is answered, mkdir refused, and for chmod the handler makes another call; mlock waits for a byte.
static struct sock_filter program[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 3, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 2, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_chmod, 1, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mlock, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | REASON),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static struct sock_fprog filter = {sizeof program / sizeof program[0], program};
static __thread int caught, expected_id;
static __thread int pipes[2];

static void handler(int signal, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    ASSERT_EQ(signal, SIGSYS);
    ASSERT_EQ(info->si_code, SYS_SECCOMP);
    ASSERT_EQ(info->si_errno, REASON);
    ASSERT_EQ(info->si_syscall, registers[REG_RAX]);
    ASSERT_EQ(my_tid(), expected_id);
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    ASSERT(sigismember(&now, SIGSYS));
    caught++;
    switch (info->si_syscall) {
    case SYS_umask:
        ASSERT_EQ(registers[REG_RDI], 022);
        registers[REG_RAX] = UMASK_ANSWER;
        break;
    case SYS_mkdir:
        ASSERT_EQ(strcmp((char *)registers[REG_RDI], "/tmp/not"), 0);
        ASSERT_EQ(registers[REG_RSI], 0700);
        registers[REG_RAX] = -EXDEV;
        break;
    case SYS_chmod:
        registers[REG_RAX] = access((char *)registers[REG_RDI], F_OK) == 0 ? 0 : -errno;
        break;
    case SYS_mlock: {
        char byte;
        registers[REG_RAX] = read(pipes[0], &byte, 1) == 1 ? byte : -EIO;
        break;
    }
    }
}

static void *writes(void *fd)
{
    sleep_ms(20);
    write_all((int)(intptr_t)fd, "x", 1);
    return NULL;
}

static void *trapped(void *unused)
{
    expected_id = my_tid();
    caught = 0;
    SYS(pipe(pipes));
    for (int i = 0; i < 5; i++) {
        ASSERT_EQ(umask(022), UMASK_ANSWER);
        FAILS(mkdir("/tmp/not", 0700), EXDEV);
        ASSERT_EQ(chmod("/", 0), 0);
        FAILS(chmod("/not/there", 0), ENOENT);
        pthread_t writer = spawn(writes, (void *)(intptr_t)pipes[1]);
        ASSERT_EQ(syscall(SYS_mlock, 0, 0), 'x');
        join(writer);
        sched_yield();
    }
    ASSERT_EQ(caught, 25);
    return unused;
}

static void *installs(void *flags)
{
    SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SYS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags ? SECCOMP_FILTER_FLAG_TSYNC : 0, &filter));
    trapped(NULL);
    join(spawn(trapped, NULL));
    return NULL;
}

// Nobody answers: a signal that cannot be put off.
static void *dies(void *blocked)
{
    if (blocked) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGSYS);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
    } else on_signal(SIGSYS, SIG_DFL, 0);
    SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SYS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
    umask(022);
    _exit(5);
}

static void expect_death(int blocked)
{
    pid_t child = SYS(fork());
    int status;
    if (child == 0) {
        join(spawn(dies, (void *)(intptr_t)blocked));
        _exit(6);
    }
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGSYS);
}

static volatile int sent;

static void is_sent(int signal, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(signal, SIGSYS);
    ASSERT_EQ(info->si_code, SI_USER);
    ASSERT_EQ(info->si_pid, getpid());
    sent++;
}

static void *sends(void *unused)
{
    struct sigaction action = {.sa_sigaction = is_sent, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    SYS(kill(getpid(), SIGSYS));
    while (!sent) sched_yield();
    return unused;
}

int main(void)
{
    join(spawn(sends, NULL));
    expect_death(0);
    expect_death(1);
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    join(spawn(installs, NULL));
    mode_t mask = umask(022);
    ASSERT_EQ(umask(mask), 022);
    join(spawn(installs, (void *)1));
    trapped(NULL);
    join(spawn(trapped, NULL));
    return 0;
}
