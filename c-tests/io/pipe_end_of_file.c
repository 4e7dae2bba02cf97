// Closing the last write end ends every reader that waits, and every later one.
#include "coop-test.h"

static int ends[2];

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 0);
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    int second = SYS(dup(ends[1]));
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) threads[i] = spawn(reader, NULL);
    let_others_block();
    SYS(close(ends[1]));
    let_others_block();
    for (int i = 0; i < 5; i++) GIVES(pthread_tryjoin_np(threads[i], NULL), EBUSY);
    SYS(close(second));
    for (int i = 0; i < 5; i++) join(threads[i]);
    join(spawn(reader, NULL));
    return 0;
}
