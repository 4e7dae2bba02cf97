// A syscall, waiting or not, leaves the 128 bytes below the stack pointer alone.
#include "vectors.h"

// A leaf function may keep its values there over an inline syscall.
ROUTINE(over_red_zone,
        ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n mov 8*\\n(%rdi), %rcx\n mov %rcx, -128+8*\\n(%rsp)\n .endr\n",
        ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n mov -128+8*\\n(%rsp), %rcx\n mov %rcx, 8*\\n(%rdi)\n .endr\n");

int main(void)
{
    vectors_survive(over_red_zone, 128);
    return 0;
}
