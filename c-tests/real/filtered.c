// Runs a program under a filter of its system calls, or with memory that never becomes code.
//
//     filtered harmless|old|fails|kills|mdwe PROGRAM ARGUMENT...
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    if (count < 3) return 2;
    int number = -1, answer = SECCOMP_RET_ERRNO | EPERM;
    if (!strcmp(arguments[1], "old")) number = SYS_epoll_pwait2;
    if (!strcmp(arguments[1], "fails")) number = SYS_epoll_ctl;
    if (!strcmp(arguments[1], "kills")) number = SYS_signalfd4, answer = SECCOMP_RET_KILL_PROCESS;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = 4, .filter = code};
    if (!strcmp(arguments[1], "mdwe")) {
        // PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN: it outlives fork, and exec.
        if (prctl(65, 1, 0, 0, 0)) perror("filtered: PR_SET_MDWE");
    } else {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return 3;
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) return 4;
    }
    execv(arguments[2], arguments + 2);
    return 5;
}
