// A read of an empty pipe waits until another thread writes, in both directions, many times.
#include "coop-test.h"

static int there[2], back[2];

static void *body(void *unused)
{
    (void)unused;
    char byte;
    while (SYS(read(there[0], &byte, 1)) == 1) {
        byte++;
        ASSERT_EQ(SYS(write(back[1], &byte, 1)), 1);
    }
    SYS(close(back[1]));
    return NULL;
}

int main(void)
{
    SYS(pipe(there));
    SYS(pipe(back));
    pthread_t thread = spawn(body, NULL);
    for (int i = 0; i < 500; i++) {
        char byte = (char)i, answer;
        ASSERT_EQ(SYS(write(there[1], &byte, 1)), 1);
        ASSERT_EQ(SYS(read(back[0], &answer, 1)), 1);
        ASSERT_EQ(answer, (char)(i + 1));
    }
    SYS(close(there[1]));
    join(thread);
    char byte;
    ASSERT_EQ(SYS(read(back[0], &byte, 1)), 0);
    return 0;
}
