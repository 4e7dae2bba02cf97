// Writes of PIPE_BUF bytes by eight threads that all wait for room never mix.
#include "coop-test.h"

#define WRITERS 8
#define WRITES 60

static int ends[2];

static void *writer(void *argument)
{
    char block[PIPE_BUF];
    memset(block, 'a' + (int)(intptr_t)argument, sizeof block);
    for (int i = 0; i < WRITES; i++) ASSERT_EQ(SYS(write(ends[1], block, PIPE_BUF)), PIPE_BUF);
    return NULL;
}

int main(void)
{
    pthread_t threads[WRITERS];
    int counts[WRITERS] = {0};
    char block[PIPE_BUF];
    SYS(pipe(ends));
    for (intptr_t i = 0; i < WRITERS; i++) threads[i] = spawn(writer, (void *)i);
    let_others_block();
    for (int i = 0; i < WRITERS * WRITES; i++) {
        ASSERT_EQ(read_all(ends[0], block, PIPE_BUF), PIPE_BUF);
        for (int j = 1; j < PIPE_BUF; j++) ASSERT_EQ(block[j], block[0]);
        counts[block[0] - 'a']++;
    }
    for (int i = 0; i < WRITERS; i++) {
        join(threads[i]);
        ASSERT_EQ(counts[i], WRITES);
    }
    return 0;
}
