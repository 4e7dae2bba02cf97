// Preloaded, 200 waiting threads are carried by a few OS threads: the other tests do test the library.
// only: preloaded
#include "coop-test.h"
#include <dirent.h>

#define THREADS 200

static sem_t arrived, go;

static void *body(void *unused)
{
    (void)unused;
    SYS(sem_post(&arrived));
    SYS(sem_wait(&go));
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    SYS(sem_init(&arrived, 0, 0));
    SYS(sem_init(&go, 0, 0));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(body, NULL);
    for (int i = 0; i < THREADS; i++) SYS(sem_wait(&arrived));
    int os_threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    ASSERT(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks));) os_threads += entry->d_name[0] != '.';
    closedir(tasks);
    ASSERT_GE(os_threads, 1);
    ASSERT_LT(os_threads, 40);
    for (int i = 0; i < THREADS; i++) SYS(sem_post(&go));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
