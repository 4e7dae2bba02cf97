// Ten thousand threads wait for a semaphore that another process posts; they do not have an OS thread each.
// only: preloaded
// timeout: 60
#include "coop-test.h"

enum { THREADS = 10000 };
static sem_t *semaphore;

static void *waiter(void *unused)
{
    SYS(sem_wait(semaphore));
    return unused;
}

static int os_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    ASSERT(tasks != NULL);
    int count = 0;
    for (struct dirent *task; (task = readdir(tasks));) count += task->d_name[0] != '.';
    closedir(tasks);
    return count;
}

int main(void)
{
    static pthread_t threads[THREADS];
    int ring = (int)syscall(SYS_io_uring_setup, 0, NULL);
    if (ring == -1 && errno != EFAULT && errno != EINVAL) SKIP("no io_uring");
    semaphore = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(semaphore != MAP_FAILED);
    SYS(sem_init(semaphore, 1, 0));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(waiter, NULL);
    // libc counts them in the upper half of the semaphore.
    UNTIL(((uint32_t *)semaphore)[1] == THREADS);
    let_others_block();
    ASSERT_LT(os_threads(), 100);
    pid_t child = SYS(fork());
    if (child == 0) {
        for (int i = 0; i < THREADS; i++) SYS(sem_post(semaphore));
        _exit(0);
    }
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    int status;
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT_EQ(status, 0);
    return 0;
}
