// COOP_DISABLE=1 keeps the library out: every thread is an OS thread with the kernel's id.
// only: preloaded
// env: COOP_DISABLE=1
#include "coop-test.h"
#include <dirent.h>

static sem_t go;

static void *body(void *unused)
{
    (void)unused;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", my_tid());
    SYS(access(path, R_OK));
    SYS(sem_wait(&go));
    return NULL;
}

int main(void)
{
    pthread_t threads[20];
    SYS(sem_init(&go, 0, 0));
    for (int i = 0; i < 20; i++) threads[i] = spawn(body, NULL);
    int os_threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    ASSERT(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks));) os_threads += entry->d_name[0] != '.';
    closedir(tasks);
    ASSERT_EQ(os_threads, 21);
    for (int i = 0; i < 20; i++) SYS(sem_post(&go));
    for (int i = 0; i < 20; i++) join(threads[i]);
    return 0;
}
