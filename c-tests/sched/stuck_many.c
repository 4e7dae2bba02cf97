// Many threads at once wait inside the kernel, and the rest goes on.
#include "uffd.h"
#include <stdatomic.h>

enum { THREADS = 24 };

static char *page;
static atomic_int touched;

static void *toucher(void *unused)
{
    (void)unused;
    atomic_fetch_add(&touched, 1);
    return (void *)(intptr_t)*(volatile char *)page;
}

int main(void)
{
    page = uffd_page();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(toucher, NULL);
    UNTIL(atomic_load(&touched) == THREADS);
    sleep_ms(20);
    uffd_fill(page, 3);
    for (int i = 0; i < THREADS; i++) ASSERT_EQ((intptr_t)join(threads[i]), 3);
    return 0;
}
