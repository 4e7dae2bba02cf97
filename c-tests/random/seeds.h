// Random programs of many threads: what a thread does follows from the seed, what happens at the same time does not.
//
// `PROGRAM` runs some seeds, each in a process of its own; `PROGRAM SEED [COUNT [THREADS]]` runs one.
#ifndef SEEDS_H
#define SEEDS_H

#include "coop-test.h"

enum { MOST_THREADS = 64 };

// The next number below n of a sequence.
static inline unsigned next_below(uint64_t *state, unsigned n)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(*state >> 33) % n;
}

// What main does. `count` and `threads` have their defaults.
static inline int run_seeds(int argc, char **argv, int seeds, int (*run)(uint64_t), int *count, int *threads)
{
    if (argc > 2) *count = atoi(argv[2]);
    if (argc > 3) *threads = atoi(argv[3]);
    ASSERT(*threads <= MOST_THREADS);
    if (argc > 1) return run(strtoull(argv[1], NULL, 10));
    for (int seed = 1; seed <= seeds; seed++) {
        pid_t pid = SYS(fork());
        if (pid == 0) _exit(run(seed));
        ASSERT_EQ(finish(pid), 0);
    }
    return 0;
}

#endif
