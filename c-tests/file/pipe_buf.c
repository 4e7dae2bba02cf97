// Messages of up to PIPE_BUF bytes from many threads arrive whole in a pipe that is mostly full, by write and by writev.
#include "coop-test.h"
#include <sys/uio.h>

#define THREADS 20
#define MESSAGES 20

static int ends[2];

static size_t size_of(int thread)
{
    return thread % 4 == 0 ? PIPE_BUF : (size_t)(3000 + 50 * thread);
}

static void *writer(void *argument)
{
    int me = (int)(intptr_t)argument;
    unsigned char message[PIPE_BUF];
    size_t size = size_of(me);
    memset(message, me, size);
    for (int i = 0; i < MESSAGES; i++) {
        struct iovec parts[3] = {{message, 100}, {message + 100, size - 200}, {message + size - 100, 100}};
        ASSERT_EQ(me % 2 ? SYS(writev(ends[1], parts, 3)) : SYS(write(ends[1], message, size)), size);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    unsigned char message[PIPE_BUF];
    int seen[THREADS] = {0};
    SYS(pipe(ends));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(writer, (void *)i);
    let_others_block();
    for (int i = 0; i < THREADS * MESSAGES; i++) {
        ASSERT_EQ(read_all(ends[0], message, 1), 1);
        ASSERT_LT(message[0], THREADS);
        size_t rest = size_of(message[0]) - 1;
        ASSERT_EQ(read_all(ends[0], message + 1, rest), rest);
        for (size_t k = 1; k <= rest; k++) ASSERT_EQ(message[k], message[0]);
        seen[message[0]]++;
    }
    for (int i = 0; i < THREADS; i++) {
        join(threads[i]);
        ASSERT_EQ(seen[i], MESSAGES);
    }
    return 0;
}
