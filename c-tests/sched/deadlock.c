// With COOP_DEADLOCK=report two threads that hold what the other wants are named, with what they wait for, and wait on.
// only: preloaded
// env: COOP_DEADLOCK=report
// env: COOP_LOG_FILE=log-%p
#include "coop-test.h"

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t book = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t both;
static pid_t ids[2];

static void *left(void *unused)
{
    ids[0] = my_tid();
    OK(pthread_setname_np(pthread_self(), "left"));
    OK(pthread_mutex_lock(&first));
    OK(pthread_rwlock_wrlock(&book));
    pthread_barrier_wait(&both);
    OK(pthread_mutex_lock(&second));
    return unused;
}

static void *right(void *unused)
{
    ids[1] = my_tid();
    OK(pthread_setname_np(pthread_self(), "right"));
    OK(pthread_mutex_lock(&second));
    pthread_barrier_wait(&both);
    OK(pthread_rwlock_rdlock(&book));
    return unused;
}

static void deadlock(void)
{
    OK(pthread_barrier_init(&both, NULL, 3));
    pthread_t one = spawn(left, NULL);
    spawn(right, NULL);
    pthread_barrier_wait(&both);
    printf("%d %d\n", ids[0], ids[1]);
    fflush(stdout);
    join(one);
}

int main(void)
{
    int pipe_fd[2];
    SYS(pipe(pipe_fd));
    pid_t child = SYS(fork());
    if (child == 0) {
        dup2(pipe_fd[1], 1);
        deadlock();
        _exit(9);
    }
    char line[64] = "", path[64], text[4096] = "", wanted[128];
    SYS(read(pipe_fd[0], line, sizeof line - 1));
    ASSERT_EQ(sscanf(line, "%d %d", &ids[0], &ids[1]), 2);
    snprintf(path, sizeof path, "log-%d", child);
    UNTIL(access(path, F_OK) == 0);
    int fd = SYS(open(path, O_RDONLY));
    size_t size = 0;
    UNTIL((size += SYS(pread(fd, text + size, sizeof text - 1 - size, size))) > 0
          && strstr(text, "waits for the end of task"));
    SYS(unlink(path));
    ASSERT(strstr(text, "libcoop: deadlock: all 3 tasks wait for locks"));
    int low = ids[0] < ids[1] ? 0 : 1;
    snprintf(wanted, sizeof wanted, "cycle: %d → %d → %d\n", ids[low], ids[!low], ids[low]);
    if (!strstr(text, wanted)) FAIL("no %s in %s", wanted, text);
    snprintf(wanted, sizeof wanted, "which task %d holds, at test+0x", ids[1]);
    if (!strstr(text, wanted)) FAIL("no %s in %s", wanted, text);
    ASSERT(strstr(text, "(left) waits for the mutex at 0x"));
    ASSERT(strstr(text, "(right) waits for the rwlock near 0x"));
    snprintf(wanted, sizeof wanted, "waits for the end of task %d", ids[0]);
    if (!strstr(text, wanted)) FAIL("no %s in %s", wanted, text);
    // It waits as it would natively, and can be ended so.
    sleep_ms(20);
    ASSERT_EQ(SYS(waitpid(child, NULL, WNOHANG)), 0);
    SYS(kill(child, SIGTERM));
    ASSERT_EQ(finish(child), 128 + SIGTERM);
    return 0;
}
