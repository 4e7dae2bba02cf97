// While threads are held up inside the kernel, fork from another one works, in the child as in the parent.
#include "uffd.h"
#include <stdatomic.h>

enum { THREADS = 3 };

static char *page;
static atomic_int touched;

static void *toucher(void *unused)
{
    (void)unused;
    atomic_fetch_add(&touched, 1);
    return (void *)(intptr_t)*(volatile char *)page;
}

static void *forker(void *unused)
{
    for (int i = 0; i < 5; i++) {
        pid_t child = SYS(fork());
        if (child == 0) {
            pthread_t thread = spawn(pause_for_ever, NULL);
            OK(pthread_cancel(thread));
            join(thread);
            _exit(42);
        }
        ASSERT_EQ(finish(child), 42);
        ASSERT_EQ(system("exit 3"), 3 << 8);
    }
    return unused;
}

int main(void)
{
    page = uffd_page();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(toucher, NULL);
    UNTIL(atomic_load(&touched) == THREADS);
    sleep_ms(20);
    join(spawn(forker, NULL));
    uffd_fill(page, 3);
    for (int i = 0; i < THREADS; i++) ASSERT_EQ((intptr_t)join(threads[i]), 3);
    return 0;
}
