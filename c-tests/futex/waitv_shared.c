// futex_waitv for private and shared words at once: another process wakes it by the shared one, a thread by the private one.
#include "waitv.h"

static uint32_t private_word;
static uint32_t *shared_word;

static void *waiter(void *unused)
{
    (void)unused;
    struct waitv_word list[2] = {waitv_word(&private_word, 0, WAITV_PRIVATE),
                                 waitv_word(shared_word, 0, 0)};
    return (void *)(intptr_t)SYS(futex_waitv(list, 2, NULL));
}

int main(void)
{
    waitv_needed();
    shared_word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(shared_word != MAP_FAILED);
    pthread_t thread = spawn(waiter, NULL);
    pid_t child = SYS(fork());
    if (child == 0) {
        while (futex(shared_word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0) sleep_ms(1);
        _exit(0);
    }
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ((intptr_t)join(thread), 1);

    thread = spawn(waiter, NULL);
    while (futex(&private_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0) sleep_ms(1);
    ASSERT_EQ((intptr_t)join(thread), 0);
    return 0;
}
