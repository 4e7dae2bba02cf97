// __thread variables of a library that a thread loads while others are alive: every thread, old and new, has its own.
// dlopen: lib/counter.c
// libs: -ldl
#include "coop-test.h"
#include <dlfcn.h>

static int (*count)(void);
static pthread_barrier_t loaded;

static void *body(void *argument)
{
    int steps = (int)(intptr_t)argument;
    if (steps < 20) pthread_barrier_wait(&loaded);
    for (int i = 1; i <= steps; i++) {
        ASSERT_EQ(count(), 100 + i);
        sleep_ms(1);
    }
    return NULL;
}

static void *loader(void *unused)
{
    (void)unused;
    void *library = dlopen("counter.so", RTLD_NOW);
    if (!library) FAIL("%s", dlerror());
    count = (int (*)(void))dlsym(library, "count");
    ASSERT(count != NULL);
    ASSERT_EQ(count(), 101);
    pthread_barrier_wait(&loaded);
    return library;
}

int main(void)
{
    pthread_t threads[25];
    OK(pthread_barrier_init(&loaded, NULL, 20 + 1));
    for (intptr_t i = 0; i < 20; i++) threads[i] = spawn(body, (void *)i);
    void *library = join(spawn(loader, NULL));
    for (intptr_t i = 20; i < 25; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < 25; i++) join(threads[i]);
    ASSERT_EQ(count(), 101);
    ASSERT_EQ(dlclose(library), 0);
    return 0;
}
