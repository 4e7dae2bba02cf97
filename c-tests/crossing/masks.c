// A syscall, waiting or not, keeps the eight AVX-512 mask registers.
#include "vectors.h"

#define EACH ".irp n,0,1,2,3,4,5,6,7\n"

ROUTINE(over_masks, EACH "kmovq 8*\\n(%rdi), %k\\n\n .endr\n", EACH "kmovq %k\\n, 8*\\n(%rdi)\n .endr\n");

int main(void)
{
    if (!__builtin_cpu_supports("avx512bw")) SKIP("no AVX-512 here");
    vectors_survive(over_masks, 8 * 8);
    return 0;
}
