// expect-exit: 139
// SIGSEGV that another process sends ends a program that has no handler for it.
#include "coop-test.h"

int main(void)
{
    spawn(pause_for_ever, NULL);
    let_others_block();
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(kill(getppid(), SIGSEGV));
        _exit(0);
    }
    sleep_ms(20000);
    return 0;
}
