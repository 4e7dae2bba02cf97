// futex_waitv, which libc has no function for.
#ifndef WAITV_H
#define WAITV_H

#include "coop-test.h"

struct waitv_word {
    uint64_t value, address;
    uint32_t flags, reserved;
};

enum { WAITV_U32 = 2, WAITV_PRIVATE = 128 };

static inline struct waitv_word waitv_word(const void *word, uint32_t value, uint32_t flags)
{
    return (struct waitv_word){value, (uintptr_t)word, flags | WAITV_U32, 0};
}

static inline long futex_waitv(struct waitv_word *words, unsigned count, const struct timespec *until)
{
    return syscall(449, words, count, 0, until, CLOCK_MONOTONIC);
}

// Skips where the kernel has no such call.
static inline void waitv_needed(void)
{
    if (futex_waitv(NULL, 0, NULL) == -1 && errno == ENOSYS) SKIP("no futex_waitv (Linux 5.16)");
}

#endif
