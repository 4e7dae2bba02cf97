// A thread with something of its own waits for a private futex and a shared one at the same time, and is woken by either.
#include "own.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

struct word {
    uint64_t value, address;
    uint32_t flags, reserved;
};

static uint32_t private_word, *shared_word;

static long wait_for_both(void)
{
    struct word words[] = {
        {0, (uintptr_t)&private_word, 2 | 128, 0},
        {0, (uintptr_t)shared_word, 2, 0},
    };
    long woken;
    do woken = syscall(SYS_futex_waitv, words, 2, 0, NULL, 0);
    while (woken == -1 && errno == EINTR);
    return woken;
}

static void *waits(void *unused)
{
    SYS(prctl(PR_SET_TIMERSLACK, 71000, 0, 0, 0));
    struct word none = {0, (uintptr_t)&private_word, 2 | 128, 0};
    if (syscall(SYS_futex_waitv, &none, 0, 0, NULL, 0) == -1 && errno == ENOSYS) SKIP("no futex_waitv");
    for (int i = 0; i < 10; i++) {
        long woken = wait_for_both();
        if (woken == -1) ASSERT_EQ(errno, EAGAIN);
        else ASSERT_EQ(woken, i % 2);
        UNTIL(__atomic_load_n(i % 2 ? shared_word : &private_word, __ATOMIC_SEQ_CST) == 1);
        __atomic_store_n(i % 2 ? shared_word : &private_word, 0, __ATOMIC_SEQ_CST);
    }
    return unused;
}

int main(void)
{
    shared_word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(shared_word != MAP_FAILED);
    pthread_t thread = spawn(waits, NULL);
    for (int i = 0; i < 10; i++) {
        uint32_t *word = i % 2 ? shared_word : &private_word;
        sleep_ms(12);
        __atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
        syscall(SYS_futex, word, i % 2 ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        UNTIL(__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0);
    }
    join(thread);
    return 0;
}
