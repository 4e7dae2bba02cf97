// A syscall, waiting or not, keeps all thirty-two zmm registers.
#include "vectors.h"

#define EACH                                                                                      \
    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"

ROUTINE(over_zmm, EACH "vmovups 64*\\n(%rdi), %zmm\\n\n .endr\n",
        EACH "vmovups %zmm\\n, 64*\\n(%rdi)\n .endr\n vzeroupper\n");

int main(void)
{
    if (!__builtin_cpu_supports("avx512f")) SKIP("no AVX-512 here");
    vectors_survive(over_zmm, 32 * 64);
    return 0;
}
