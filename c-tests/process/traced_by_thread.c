// A thread that attaches to a process is its tracer: all that it asks later comes from the same thread for the kernel, whatever other threads do
// meanwhile, and another thread's requests find no tracee.
#include "coop-test.h"
#include <sys/ptrace.h>
#include <sys/user.h>

static _Atomic int stop;
static _Atomic pid_t traced;
static sem_t here, there, asked;

// Wakes the tracer, and is woken by it: tasks that do so move to each other's hubs.
static void *plays(void *unused)
{
    while (!stop) {
        SYS(sem_wait(&here));
        SYS(sem_post(&there));
    }
    return unused;
}

static void *another(void *unused)
{
    struct user_regs_struct registers;
    FAILS(ptrace(PTRACE_GETREGS, traced, 0, &registers), ESRCH);
    SYS(sem_post(&asked));
    return unused;
}

static void turns(void)
{
    for (int i = 0; i < 200; i++) {
        SYS(sem_post(&here));
        SYS(sem_wait(&there));
        if (i % 20 == 0) usleep(500);
    }
}

static void *traces(void *way)
{
    struct user_regs_struct registers;
    int status;
    pid_t child = SYS(fork());
    if (child == 0)
        for (;;) usleep(1000);
    if (way) {
        SYS(ptrace(PTRACE_SEIZE, child, 0, 0));
        turns();
        SYS(ptrace(PTRACE_INTERRUPT, child, 0, 0));
    } else {
        SYS(ptrace(PTRACE_ATTACH, child, 0, 0));
    }
    turns();
    ASSERT_EQ(SYS(waitpid(child, &status, __WALL)), child);
    ASSERT(WIFSTOPPED(status));
    for (int i = 0; i < 5; i++) {
        turns();
        SYS(ptrace(PTRACE_GETREGS, child, 0, &registers));
        ASSERT_NE(registers.rip, 0);
    }
    traced = child;
    pthread_t other = spawn(another, NULL);
    SYS(sem_wait(&asked));
    join(other);
    SYS(ptrace(PTRACE_DETACH, child, 0, 0));
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    return NULL;
}

int main(void)
{
    SYS(sem_init(&here, 0, 0));
    SYS(sem_init(&there, 0, 0));
    SYS(sem_init(&asked, 0, 0));
    pthread_t player = spawn(plays, NULL);
    join(spawn(traces, NULL));
    join(spawn(traces, (void *)1));
    stop = 1;
    SYS(sem_post(&here));
    join(player);
    return 0;
}
