// process_vm_readv and process_vm_writev between this process and a child, and within this process, from several threads.
#include "coop-test.h"
#include <sys/uio.h>

enum { THREADS = 8, SIZE = 100000 };
static unsigned char bytes[THREADS][SIZE];
static pid_t child;

static void *mover(void *number)
{
    long i = (long)number;
    unsigned char *mine = malloc(SIZE);
    struct iovec local = {mine, SIZE}, remote = {bytes[i], SIZE};
    pid_t from = i % 2 ? child : getpid();
    ASSERT_EQ(process_vm_readv(from, &local, 1, &remote, 1, 0), SIZE);
    for (int k = 0; k < SIZE; k++) ASSERT_EQ(mine[k], pattern(k + i));
    memset(mine, i, SIZE);
    ASSERT_EQ(process_vm_writev(from, &local, 1, &remote, 1, 0), SIZE);
    memset(mine, 99, SIZE);
    ASSERT_EQ(process_vm_readv(from, &local, 1, &remote, 1, 0), SIZE);
    ASSERT_EQ(mine[SIZE - 1], i);
    free(mine);
    return NULL;
}

int main(void)
{
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < SIZE; k++) bytes[i][k] = pattern(k + i);
    child = SYS(fork());
    if (child == 0) pause_for_ever(NULL);
    struct iovec local = {bytes, 1}, remote = {bytes, 1};
    if (process_vm_readv(child, &local, 1, &remote, 1, 0) == -1) {
        kill(child, SIGKILL);
        SKIP("process_vm_readv is not permitted");
    }
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++) threads[i] = spawn(mover, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    FAILS(process_vm_readv(child, &local, 1, &remote, 1, 0), ESRCH);
    return 0;
}
