// A thread that is preempted in the middle of a computation finds all vector and mask registers as they were.
// env: COOP_SLICE=1
#include "coop-test.h"
#include <immintrin.h>

__attribute__((target("avx"))) static void compute(int number)
{
    int64_t until = now_ns(CLOCK_MONOTONIC) + 40 * NS_PER_MS;
    double seed = number + 1;
    while (now_ns(CLOCK_MONOTONIC) < until) {
        // Long enough without memory that a switch falls between.
        __m256d a = _mm256_set1_pd(seed), b = _mm256_set1_pd(seed * 2), one = _mm256_set1_pd(1);
        __m256d c = _mm256_set1_pd(seed * 3), d = _mm256_set1_pd(seed * 4);
        for (int i = 0; i < 20000; i++) {
            a = _mm256_add_pd(a, one);
            b = _mm256_add_pd(b, one);
            c = _mm256_add_pd(c, one);
            d = _mm256_add_pd(d, one);
            __asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d));
        }
        double out[4][4];
        _mm256_storeu_pd(out[0], a);
        _mm256_storeu_pd(out[1], b);
        _mm256_storeu_pd(out[2], c);
        _mm256_storeu_pd(out[3], d);
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) ASSERT(out[i][j] == seed * (i + 1) + 20000);
    }
}

static void *body(void *number)
{
    compute((int)(intptr_t)number);
    return NULL;
}

int main(void)
{
    if (!__builtin_cpu_supports("avx")) SKIP("no AVX");
    pthread_t threads[4];
    for (intptr_t i = 0; i < 4; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
