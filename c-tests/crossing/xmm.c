// A syscall, waiting or not, keeps all sixteen xmm registers.
#include "vectors.h"

#define EACH ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"

ROUTINE(over_xmm, EACH "movups 16*\\n(%rdi), %xmm\\n\n .endr\n", EACH "movups %xmm\\n, 16*\\n(%rdi)\n .endr\n");

int main(void)
{
    vectors_survive(over_xmm, 16 * 16);
    return 0;
}
