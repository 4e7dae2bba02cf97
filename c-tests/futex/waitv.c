// futex_waitv waits for many words and says which was woken; the others are waited for no more.
#include "waitv.h"

enum { WORDS = 128 };

static uint32_t words[WORDS];

static void *waiter(void *unused)
{
    (void)unused;
    struct waitv_word list[WORDS];
    for (int i = 0; i < WORDS; i++) list[i] = waitv_word(&words[i], 0, WAITV_PRIVATE);
    return (void *)(intptr_t)SYS(futex_waitv(list, WORDS, NULL));
}

int main(void)
{
    waitv_needed();
    for (int which = 0; which < WORDS; which += 31) {
        pthread_t thread = spawn(waiter, NULL);
        while (futex(&words[which], FUTEX_WAKE_PRIVATE, 5, NULL, NULL, 0) == 0) sleep_ms(1);
        ASSERT_EQ((intptr_t)join(thread), which);
        for (int i = 0; i < WORDS; i++)
            ASSERT_EQ(futex(&words[i], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
    }
    return 0;
}
