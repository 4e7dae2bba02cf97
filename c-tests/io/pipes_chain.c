// A chain of 100 threads, each passing what it reads from one pipe to the next.
#include "coop-test.h"

#define LINKS 100
#define SIZE 20000

static int pipes[LINKS + 1][2];

static void *body(void *argument)
{
    size_t i = (size_t)argument;
    char buffer[1000];
    ssize_t got;
    while ((got = SYS(read(pipes[i][0], buffer, sizeof buffer))) > 0)
        write_all(pipes[i + 1][1], buffer, (size_t)got);
    SYS(close(pipes[i + 1][1]));
    return NULL;
}

static void *source(void *bytes)
{
    write_all(pipes[0][1], bytes, SIZE);
    SYS(close(pipes[0][1]));
    return NULL;
}

int main(void)
{
    static unsigned char bytes[SIZE], got[SIZE + 1];
    pthread_t threads[LINKS];
    for (size_t i = 0; i < SIZE; i++) bytes[i] = pattern(i);
    for (int i = 0; i <= LINKS; i++) SYS(pipe(pipes[i]));
    for (size_t i = 0; i < LINKS; i++) threads[i] = spawn_small(body, (void *)i);
    pthread_t first = spawn(source, bytes);
    ASSERT_EQ(read_all(pipes[LINKS][0], got, SIZE + 1), SIZE);
    ASSERT_MEM(got, bytes, SIZE);
    join(first);
    for (int i = 0; i < LINKS; i++) join(threads[i]);
    return 0;
}
