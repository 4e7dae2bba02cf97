/*
 * As many threads as asked for, all alive and blocked at once: the time and the memory that each of them takes.
 *
 *     blocked_threads number
 *
 * Memory is the growth of the process's resident set and page tables and, since the kernel holds a stack for every
 * OS thread that no process is charged for, of the machine's kernel stacks. Where the kernel refuses a thread, the
 * figures are for those that it gave, and a remark says so.
 */
#include "bench.h"

static struct gate gate = GATE_INITIALIZER;

static void *blocked(void *arg)
{
    gate_wait(&gate);
    return arg;
}

/* The value in KiB of `key` in a file such as /proc/self/status. */
static double kib(const char *path, const char *key)
{
    char line[256];
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        perror(path);
        exit(1);
    }
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0) {
            fclose(file);
            return atof(line + strlen(key));
        }
    fprintf(stderr, "no %s in %s\n", key, path);
    exit(1);
}

struct memory {
    double resident, tables, kernel_stacks;
};

static struct memory memory_now(void)
{
    return (struct memory){
        kib("/proc/self/status", "VmRSS:"),
        kib("/proc/self/status", "VmPTE:"),
        kib("/proc/meminfo", "KernelStack:"),
    };
}

static void bench(int argc, char **argv)
{
    long wanted = argc > 1 ? atol(argv[1]) : 1000, made = 0;
    pthread_t *threads = malloc((size_t)wanted * sizeof *threads);
    pthread_attr_t attr;
    int refused = 0;

    if (threads == NULL) {
        perror("malloc");
        exit(1);
    }
    memset(threads, 1, (size_t)wanted * sizeof *threads); /* resident before it counts */
    crowd_attr(&attr);

    struct memory before = memory_now();
    long start = bench_now();
    while (made < wanted && (refused = pthread_create(&threads[made], &attr, blocked, NULL)) == 0)
        made++;
    gate_gather(&gate, made);
    double each = made > 0 ? (double)made : 1;
    double creating = (double)(bench_now() - start) / each;
    struct memory after = memory_now();

    start = bench_now();
    gate_open(&gate);
    for (long i = 0; i < made; i++)
        MUST(pthread_join(threads[i], NULL));
    double releasing = (double)(bench_now() - start) / each;

    if (refused)
        printf("# pthread_create: %s, with %ld threads alive\n", strerror(refused), made);
    bench_report("alive", (double)made, "threads");
    bench_report("create", creating, "ns");
    bench_report("release+join", releasing, "ns");
    bench_report("resident", (after.resident - before.resident) / each, "KiB");
    bench_report("page-tables", (after.tables - before.tables) / each, "KiB");
    bench_report("kernel-stacks", (after.kernel_stacks - before.kernel_stacks) / each, "KiB");
}
