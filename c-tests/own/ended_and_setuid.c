// A thread that had given up its rights ends and is joined: libc's setuid by main is not hindered by what is left of it.
#include "own.h"

enum { NOBODY = 65534 };

static void *gives_up(void *argument)
{
    SYS(syscall(SYS_setresuid, 1234, 1234, 1234));
    return argument;
}

int main(void)
{
    need_root();
    for (int i = 0; i < 200; i++) {
        pthread_t other = spawn(gives_up, NULL);
        join(spawn(gives_up, NULL));
        join(other);
        SYS(setreuid(-1, NOBODY));
        ASSERT_EQ(geteuid(), NOBODY);
        SYS(setreuid(-1, 0));
        ASSERT_EQ(geteuid(), 0);
    }
    return 0;
}
