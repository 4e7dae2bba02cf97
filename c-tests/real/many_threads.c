// Starts the given number of threads, which all wait for one condition; says how many system threads there are then.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int waiting, go;
static long sum;

static void *wait_for_go(void *number)
{
    pthread_mutex_lock(&lock);
    waiting++;
    pthread_cond_broadcast(&changed);
    while (!go)
        pthread_cond_wait(&changed, &lock);
    sum += (long)number;
    pthread_mutex_unlock(&lock);
    return number;
}

/* From one read: a list of them would count threads that the library starts to read the list. */
static int system_threads(void)
{
    char line[256];
    int count = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "Threads: %d", &count);
    if (status)
        fclose(status);
    return count;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 16;
    pthread_t *threads = calloc(count, sizeof *threads);
    for (long i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, wait_for_go, (void *)i))
            return 1;
    pthread_mutex_lock(&lock);
    while (waiting < count)
        pthread_cond_wait(&changed, &lock);
    printf("system threads: %d\n", system_threads());
    go = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    printf("sum of %d: %ld\n", count, sum);
    free(threads);
    return 0;
}
