// Under a limit on data (RLIMIT_DATA) threads are made as long as their stacks fit, and then EAGAIN; a core dump would hold little more than what is used.
#include "coop-test.h"
#include <sys/resource.h>

enum { LIMIT = 160 << 20, STACK = 4 << 20, MOST = 64 };
static sem_t go;

static void *waits(void *unused)
{
    SYS(sem_wait(&go));
    return unused;
}

int main(void)
{
    struct rlimit limit = {LIMIT, LIMIT};
    pthread_t threads[MOST];
    pthread_attr_t attributes;
    int made = 0, error = 0;
    SYS(setrlimit(RLIMIT_DATA, &limit));
    OK(sem_init(&go, 0, 0));
    OK(pthread_attr_init(&attributes));
    OK(pthread_attr_setstacksize(&attributes, STACK));
    while (made < MOST && (error = pthread_create(&threads[made], &attributes, waits, NULL)) == 0) made++;
    ASSERT_EQ(error, EAGAIN);
    ASSERT_GE(made, 24);
    for (int i = 0; i < made; i++) SYS(sem_post(&go));
    for (int i = 0; i < made; i++) join(threads[i]);
    return 0;
}
