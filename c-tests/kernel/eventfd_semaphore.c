// An eventfd as a semaphore: 500 readers wait, and as many go on as are let.
// timeout: 60
#include "coop-test.h"
#include <sys/eventfd.h>

enum { THREADS = 500 };
static int fd, through;

static void *reader(void *unused)
{
    uint64_t value;
    ASSERT_EQ(read(fd, &value, 8), 8);
    ASSERT_EQ(value, 1);
    __atomic_fetch_add(&through, 1, __ATOMIC_RELAXED);
    return unused;
}

int main(void)
{
    static pthread_t threads[THREADS];
    fd = SYS(eventfd(0, EFD_SEMAPHORE));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(reader, NULL);
    let_others_block();
    uint64_t value = 200;
    ASSERT_EQ(write(fd, &value, 8), 8);
    UNTIL(__atomic_load_n(&through, __ATOMIC_RELAXED) == 200);
    let_others_block();
    ASSERT_EQ(__atomic_load_n(&through, __ATOMIC_RELAXED), 200);
    value = THREADS - 200;
    ASSERT_EQ(write(fd, &value, 8), 8);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
