// A library loaded after threads exist makes inline syscalls that wait: the others run meanwhile.
// dlopen: lib/caller.c
// libs: -ldl
#include "coop-test.h"
#include <dlfcn.h>

static int ends[2];
static sem_t ready, go;
static long (*inline_read)(int, void *, size_t);
static int (*start)(pthread_t *, void *(*)(void *), void *);

static void *early(void *unused)
{
    (void)unused;
    SYS(sem_post(&ready));
    SYS(sem_wait(&go));
    SYS(write(ends[1], "w", 1));
    return NULL;
}

static void *reader(void *unused)
{
    (void)unused;
    char byte = 0;
    SYS(sem_post(&go));
    ASSERT_EQ(inline_read(ends[0], &byte, 1), 1);
    ASSERT_EQ(byte, 'w');
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    SYS(sem_init(&ready, 0, 0));
    SYS(sem_init(&go, 0, 0));
    pthread_t first = spawn(early, NULL), second;
    SYS(sem_wait(&ready));
    void *library = dlopen("caller.so", RTLD_NOW);
    if (!library) FAIL("%s", dlerror());
    inline_read = (long (*)(int, void *, size_t))dlsym(library, "inline_read");
    start = (int (*)(pthread_t *, void *(*)(void *), void *))dlsym(library, "start");
    ASSERT(inline_read != NULL && start != NULL);
    OK(start(&second, reader, NULL));
    join(first);
    join(second);
    return 0;
}
