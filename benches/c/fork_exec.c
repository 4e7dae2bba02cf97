/* A program is started and waited for, over and over, while a crowd of threads is alive and blocked: by fork and exec, and by posix_spawn. */
#include "bench.h"
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static struct gate gate = GATE_INITIALIZER;

static void *blocked(void *arg)
{
    gate_wait(&gate);
    return arg;
}

static void reap(pid_t child)
{
    int status;
    MUST_ERRNO(waitpid(child, &status, 0));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "a child ended with %#x\n", (unsigned)status);
        exit(1);
    }
}

static void fork_and_exec(long n)
{
    for (long i = 0; i < n; i++) {
        pid_t child = fork();
        MUST_ERRNO(child);
        if (child == 0) {
            execl("/bin/true", "true", (char *)NULL);
            _exit(127);
        }
        reap(child);
    }
}

static void spawn(long n)
{
    char *arguments[] = { "true", NULL };

    for (long i = 0; i < n; i++) {
        pid_t child;
        MUST(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ));
        reap(child);
    }
}

static void bench(int argc, char **argv)
{
    long crowd = argc > 1 ? atol(argv[1]) : 1000;
    pthread_attr_t small;
    pthread_t *threads = calloc((size_t)crowd, sizeof *threads);

    MUST(pthread_attr_init(&small));
    MUST(pthread_attr_setstacksize(&small, 64 << 10));
    for (long i = 0; i < crowd; i++)
        MUST(pthread_create(&threads[i], &small, blocked, NULL));
    gate_gather(&gate, crowd);
    /* The children are native: what is measured is starting them, not what they load. */
    MUST_ERRNO(setenv("LD_PRELOAD", "", 1));
    bench_measure("fork+exec+wait", fork_and_exec, "ns");
    bench_measure("spawn+wait", spawn, "ns");
    gate_open(&gate);
    for (long i = 0; i < crowd; i++)
        MUST(pthread_join(threads[i], NULL));
}
