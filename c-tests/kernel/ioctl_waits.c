// An ioctl that waits (a seccomp listener's NOTIF_RECV) lets other threads go on, which bring about what it waits for.
#include "coop-test.h"
#include <linux/filter.h>
#include <stddef.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

static int listener, ends[2], go[2];

static void *supervisor(void *unused)
{
    for (int i = 0; i < 3; i++) {
        struct seccomp_notif call = {0};
        SYS(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call));
        ASSERT_EQ(call.data.nr, SYS_getppid);
        struct seccomp_notif_resp answer = {.id = call.id, .val = 4000 + i};
        SYS(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
    }
    return unused;
}

static void child_body(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    write_all(ends[1], &fd, sizeof fd);
    for (int i = 0; i < 3; i++) {
        char byte;
        SYS(read(go[0], &byte, 1));
        ASSERT_EQ(syscall(SYS_getppid), 4000 + i);
    }
    _exit(0);
}

int main(void)
{
    SYS(pipe(ends));
    SYS(pipe(go));
    pid_t child = SYS(fork());
    if (child == 0) child_body();
    int fd;
    ASSERT_EQ(read(ends[0], &fd, sizeof fd), sizeof fd);
    int process = syscall(SYS_pidfd_open, child, 0);
    listener = fd < 0 || process < 0 ? -1 : syscall(SYS_pidfd_getfd, process, fd, 0);
    if (listener == -1) {
        kill(child, SIGKILL);
        SKIP("no seccomp listener to be had");
    }
    pthread_t thread = spawn(supervisor, NULL);
    for (int i = 0; i < 3; i++) {
        let_others_block();
        write_all(go[1], "x", 1);
    }
    join(thread);
    ASSERT_EQ(finish(child), 0);
    return 0;
}
