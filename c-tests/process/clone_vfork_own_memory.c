// clone with CLONE_VFORK but not CLONE_VM: the caller waits until the child has called exec or exit, which changes a copy of the memory; other
// threads go on, and it is they whom the child waits for here.
#include "coop-test.h"
#include <linux/sched.h>

static int to_child[2], from_child[2];
static volatile int stored, returned;

static void *answers(void *unused)
{
    char byte;
    ASSERT_EQ(SYS(read(from_child[0], &byte, 1)), 1);
    ASSERT_EQ(returned, 0);
    ASSERT_EQ(stored, 0);
    let_others_block();
    ASSERT_EQ(returned, 0);
    ASSERT_EQ(SYS(write(to_child[1], &byte, 1)), 1);
    return unused;
}

static pid_t child_of(int how, pid_t *word)
{
    struct clone_args args = {.flags = CLONE_VFORK | CLONE_PARENT_SETTID, .exit_signal = SIGCHLD, .parent_tid = (uintptr_t)word};
    switch (how) {
    case 0: return (pid_t)syscall(SYS_clone, CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD, 0, word, 0, 0);
    default: return (pid_t)syscall(SYS_clone3, &args, sizeof args);
    }
}

static void *clones(void *unused)
{
    for (int how = 0; how < 4; how++) {
        pthread_t other = spawn(answers, NULL);
        pid_t word = 0;
        returned = stored = 0;
        pid_t child = child_of(how & 1, &word);
        if (child == 0) {
            char byte = 'x';
            stored = 1;
            if (write(from_child[1], &byte, 1) != 1 || read(to_child[0], &byte, 1) != 1 || byte != 'x') _exit(1);
            if (how & 2) execl("/bin/sh", "sh", "-c", "exit 5", NULL);
            _exit(5);
        }
        returned = 1;
        ASSERT_GT(child, 0);
        ASSERT_EQ(word, child);
        ASSERT_EQ(stored, 0);
        join(other);
        ASSERT_EQ(finish(child), 5);
    }
    FAILS(syscall(SYS_clone, CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_PIDFD | SIGCHLD, 0, &stored, 0, 0), EINVAL);
    FAILS(syscall(SYS_clone, CLONE_VFORK | CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL);
    return unused;
}

static void *nothing(void *unused)
{
    return unused;
}

static void *works(void *unused)
{
    // Such a child can have threads.
    pid_t word = 0, child = child_of(1, &word);
    if (child == 0) {
        join(spawn(nothing, NULL));
        _exit(6);
    }
    ASSERT_EQ(finish(child), 6);
    return unused;
}

int main(void)
{
    SYS(pipe(to_child));
    SYS(pipe(from_child));
    join(spawn(clones, NULL));
    clones(NULL);
    join(spawn(works, NULL));
    return 0;
}
