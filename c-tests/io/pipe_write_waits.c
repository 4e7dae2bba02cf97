// One write of 1 MiB to a pipe waits for the reader and returns when all of it is through, in order.
#include "coop-test.h"

#define SIZE (1 << 20)

static int ends[2];

static void *writer(void *bytes)
{
    ASSERT_EQ(SYS(write(ends[1], bytes, SIZE)), SIZE);
    SYS(close(ends[1]));
    return NULL;
}

int main(void)
{
    unsigned char *bytes = malloc(SIZE), *got = malloc(SIZE + 1);
    for (size_t i = 0; i < SIZE; i++) bytes[i] = pattern(i);
    SYS(pipe(ends));
    pthread_t thread = spawn(writer, bytes);
    let_others_block();
    ASSERT_EQ(read_all(ends[0], got, SIZE + 1), SIZE);
    ASSERT_MEM(bytes, got, SIZE);
    join(thread);
    free(bytes);
    free(got);
    return 0;
}
