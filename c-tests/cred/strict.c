// A thread in SECCOMP_MODE_STRICT may read, write and end; any other call ends it alone, or the process if it is the last.
#include "coop-test.h"
#include <linux/seccomp.h>
#include <sys/prctl.h>

static int in[2], out[2];

static void begin(void)
{
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == -1) {
        ASSERT_EQ(errno, EINVAL);
        exit(3);
    }
}

static void *obeys(void *unused)
{
    char byte;
    begin();
    if (read(in[0], &byte, 1) == 1 && write(out[1], &byte, 1) == 1) write(out[1], "y", 1);
    syscall(SYS_exit, 0);
    return unused;
}

static void *does_not(void *unused)
{
    begin();
    write(out[1], "n", 1);
    syscall(SYS_getppid);
    write(out[1], "!", 1);
    return unused;
}

static void *waits_by_futex(void *unused)
{
    static int word;
    begin();
    syscall(SYS_futex, &word, 0, 0, NULL, NULL, 0);
    write(out[1], "!", 1);
    return unused;
}

static int ends(void (*how)(void))
{
    pid_t pid = SYS(fork());
    if (pid == 0) {
        join(spawn(does_not, NULL));
        how();
    }
    return finish(pid);
}

static void by_exit(void)
{
    begin();
    syscall(SYS_exit, 5);
}

static void by_exit_group(void)
{
    begin();
    _exit(5);
}

static void by_seccomp(void)
{
    FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
    FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, in), EINVAL);
    SYS(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
    syscall(SYS_getuid);
    write(out[1], "!", 1);
}

int main(void)
{
    char bytes[8];
    SYS(pipe(in));
    SYS(pipe(out));
    // Where there is a filter already there is no strict mode.
    if (prctl(PR_GET_SECCOMP) != 0) SKIP("the process has a seccomp filter");
    pthread_t good = spawn(obeys, NULL), bad = spawn(does_not, NULL), waiting = spawn(waits_by_futex, NULL);
    join(bad);
    join(waiting);
    let_others_block();
    write_all(in[1], "x", 1);
    join(good);
    ASSERT_EQ(read_all(out[0], bytes, 3), 3);
    ASSERT_EQ(memcmp(bytes, "nxy", 3), 0);
    ASSERT_EQ(ends(by_exit), 5);
    ASSERT_EQ(ends(by_exit_group), 128 + SIGKILL);
    ASSERT_EQ(ends(by_seccomp), 128 + SIGKILL);
    SYS(fcntl(out[0], F_SETFL, O_NONBLOCK));
    ASSERT_EQ(read(out[0], bytes, sizeof bytes), 3);
    ASSERT_EQ(memcmp(bytes, "nnn", 3), 0);
    return 0;
}
