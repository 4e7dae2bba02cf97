// setuid, setgid and setgroups are the whole process's: no thread, however it waits, and no OS thread keeps the old rights.
#include "cred.h"
#include <sys/file.h>

static char directory[] = "/tmp/coop-cred-XXXXXX";
static char secret[64], locked[64];
static int feed[2];
static sem_t go;

static void has_no_rights(void)
{
    ASSERT_EQ(getuid(), NOBODY);
    ASSERT_EQ(geteuid(), NOBODY);
    ASSERT_EQ(getgid(), NOBODY);
    ASSERT_EQ(getgroups(0, NULL), 0);
    FAILS(open(secret, O_RDONLY), EACCES);
    FAILS(unlink(secret), EACCES);
    FAILS(truncate(secret, 0), EACCES);
    FAILS(setuid(0), EPERM);
}

static void *reads(void *unused)
{
    char byte;
    (void)unused;
    ASSERT_EQ(SYS(read(feed[0], &byte, 1)), 1);
    has_no_rights();
    return NULL;
}

static void *waits(void *unused)
{
    (void)unused;
    while (sem_wait(&go) == -1) ASSERT_EQ(errno, EINTR);
    has_no_rights();
    return NULL;
}

static void *locks(void *unused)
{
    (void)unused;
    int fd = SYS(open(locked, O_RDWR));
    while (flock(fd, LOCK_EX) == -1) ASSERT_EQ(errno, EINTR);
    has_no_rights();
    SYS(close(fd));
    return NULL;
}

static void *starts(void *unused)
{
    (void)unused;
    has_no_rights();
    return NULL;
}

// A process that keeps its rights removes what this one may not, when it has ended.
static void leave_nothing(void)
{
    int alive[2];
    char byte;
    SYS(pipe(alive));
    if (SYS(fork()) != 0) {
        SYS(close(alive[0]));
        return;
    }
    // (Who runs the tests kills what is left of them.)
    SYS(setsid());
    SYS(close(alive[1]));
    ASSERT_EQ(SYS(read(alive[0], &byte, 1)), 0);
    SYS(unlink(secret));
    SYS(unlink(locked));
    SYS(rmdir(directory));
    _exit(0);
}

int main(void)
{
    pthread_t threads[9];
    need_root();
    ASSERT(mkdtemp(directory) != NULL);
    snprintf(secret, sizeof secret, "%s/secret", directory);
    snprintf(locked, sizeof locked, "%s/locked", directory);
    leave_nothing();
    SYS(close(SYS(open(secret, O_CREAT | O_WRONLY, 0600))));
    int fd = SYS(open(locked, O_CREAT | O_RDWR, 0666));
    SYS(flock(fd, LOCK_EX));
    SYS(pipe(feed));
    SYS(sem_init(&go, 0, 0));
    for (int i = 0; i < 3; i++) threads[i] = spawn(reads, NULL);
    for (int i = 3; i < 6; i++) threads[i] = spawn(waits, NULL);
    for (int i = 6; i < 9; i++) threads[i] = spawn(locks, NULL);
    let_others_block();

    SYS(setgroups(0, NULL));
    SYS(setgid(NOBODY));
    SYS(setuid(NOBODY));
    all_threads_have("Uid", NOBODY);
    all_threads_have("Gid", NOBODY);
    has_no_rights();

    write_all(feed[1], "xxx", 3);
    for (int i = 0; i < 3; i++) SYS(sem_post(&go));
    SYS(flock(fd, LOCK_UN));
    SYS(close(fd));
    for (int i = 0; i < 9; i++) join(threads[i]);
    for (int i = 0; i < 4; i++) threads[i] = spawn(starts, NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
