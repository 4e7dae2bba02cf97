// A seccomp filter is for the thread that installs it, and for those that it makes afterwards: mkdir is refused there, and nowhere else.
#include "own.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

static struct sock_filter program[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static struct sock_fprog filter = {sizeof program / sizeof program[0], program};
static char directory[] = "/tmp/coop-own-XXXXXX";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *refused(void *unused)
{
    FAILS(mkdir("/tmp/coop-own-refused", 0700), EXDEV);
    return unused;
}

static void *filtered(void *by_prctl)
{
    SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    if (by_prctl) SYS(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0));
    else SYS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
    int pipes[2];
    SYS(pipe(pipes));
    for (int i = 0; i < 10; i++) {
        refused(NULL);
        pthread_mutex_lock(&lock);
        sleep_ms(1);
        pthread_mutex_unlock(&lock);
        write_all(pipes[1], "x", 1);
        char byte;
        ASSERT_EQ(read(pipes[0], &byte, 1), 1);
    }
    join(spawn(refused, NULL));
    return NULL;
}

static void *free_to(void *argument)
{
    char path[100];
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "%s/%d-%d", directory, (int)(intptr_t)argument, i);
        SYS(mkdir(path, 0700));
        SYS(rmdir(path));
        pthread_mutex_lock(&lock);
        sched_yield();
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

int main(void)
{
    FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
    open_directory(directory);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = i < 2 ? spawn(filtered, (void *)(intptr_t)i) : spawn(free_to, (void *)(intptr_t)i);
    for (int i = 0; i < 4; i++) join(threads[i]);
    join(spawn(free_to, NULL));
    SYS(rmdir(directory));
    return 0;
}
