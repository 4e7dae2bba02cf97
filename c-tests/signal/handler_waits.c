// A handler may wait itself, in a pipe, while other threads run; the interrupted call then goes on or ends.
#include "coop-test.h"

static int outer[2], inner[2];
static _Atomic int entered, left;

static void handler(int number)
{
    (void)number;
    char byte;
    entered++;
    ASSERT_EQ(SYS(read(inner[0], &byte, 1)), 1);
    left++;
}

static void *body(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(SYS(read(outer[0], &byte, 1)), 1);
    ASSERT_EQ(byte, 'o');
    return NULL;
}

int main(void)
{
    SYS(pipe(outer));
    SYS(pipe(inner));
    on_signal(SIGUSR1, handler, SA_RESTART);
    pthread_t thread = spawn(body, NULL);
    let_others_block();
    for (int i = 1; i <= 3; i++) {
        OK(pthread_kill(thread, SIGUSR1));
        UNTIL(entered == i);
        let_others_block();
        ASSERT_EQ(left, i - 1);
        SYS(write(inner[1], "i", 1));
        UNTIL(left == i);
    }
    SYS(write(outer[1], "o", 1));
    join(thread);
    return 0;
}
