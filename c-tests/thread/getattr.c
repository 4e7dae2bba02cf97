// pthread_getattr_np tells where a stack really is: in main before and after threads exist, in and of a thread.
#include "coop-test.h"

static const char *in_thread;
static sem_t looked, go;

static void contains(pthread_t thread, const char *local)
{
    void *low;
    size_t size, guard;
    pthread_attr_t attributes;
    OK(pthread_getattr_np(thread, &attributes));
    OK(pthread_attr_getstack(&attributes, &low, &size));
    OK(pthread_attr_getguardsize(&attributes, &guard));
    OK(pthread_attr_destroy(&attributes));
    ASSERT_GE((uintptr_t)local, (uintptr_t)low);
    ASSERT_LT((uintptr_t)local, (uintptr_t)low + size);
    if (local == in_thread) ASSERT_EQ(guard, sysconf(_SC_PAGESIZE));
}

static void *body(void *unused)
{
    (void)unused;
    char local = 0;
    in_thread = &local;
    contains(pthread_self(), in_thread);
    SYS(sem_post(&looked));
    SYS(sem_wait(&go));
    return NULL;
}

int main(void)
{
    char local = 0;
    SYS(sem_init(&looked, 0, 0));
    SYS(sem_init(&go, 0, 0));
    contains(pthread_self(), &local);
    pthread_t thread = spawn(body, NULL);
    SYS(sem_wait(&looked));
    contains(pthread_self(), &local);
    contains(thread, in_thread);
    SYS(sem_post(&go));
    join(thread);
    contains(pthread_self(), &local);
    return 0;
}
