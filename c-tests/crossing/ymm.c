// A syscall, waiting or not, keeps all sixteen ymm registers, upper halves included.
#include "vectors.h"

#define EACH ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"

ROUTINE(over_ymm, EACH "vmovups 32*\\n(%rdi), %ymm\\n\n .endr\n",
        EACH "vmovups %ymm\\n, 32*\\n(%rdi)\n .endr\n vzeroupper\n");

int main(void)
{
    if (!__builtin_cpu_supports("avx")) SKIP("no AVX here");
    vectors_survive(over_ymm, 16 * 32);
    return 0;
}
