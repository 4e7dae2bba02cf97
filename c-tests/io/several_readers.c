// Several threads wait on one pipe: each byte goes to exactly one of them, and none is left out.
#include "coop-test.h"

#define READERS 10

static int ends[2];

static void *reader(void *unused)
{
    (void)unused;
    unsigned char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return (void *)(intptr_t)byte;
}

int main(void)
{
    pthread_t threads[READERS];
    int seen[READERS] = {0};
    SYS(pipe(ends));
    for (int i = 0; i < READERS; i++) threads[i] = spawn(reader, NULL);
    let_others_block();
    for (unsigned char i = 0; i < READERS / 2; i++) SYS(write(ends[1], &i, 1));
    // The rest at once.
    unsigned char rest[READERS / 2];
    for (int i = 0; i < READERS / 2; i++) rest[i] = (unsigned char)(READERS / 2 + i);
    SYS(write(ends[1], rest, sizeof rest));
    for (int i = 0; i < READERS; i++) seen[(intptr_t)join(threads[i])]++;
    for (int i = 0; i < READERS; i++) ASSERT_EQ(seen[i], 1);
    return 0;
}
