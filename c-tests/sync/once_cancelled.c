// A thread that is cancelled in the middle of pthread_once leaves it to the next, who runs the routine from the start.
#include "coop-test.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic int begun, ended;
static int pipe_fd[2];

static void routine(void)
{
    char byte;
    begun++;
    ASSERT_EQ(SYS(read(pipe_fd[0], &byte, 1)), 1);
    ended++;
}

static void *body(void *unused)
{
    OK(pthread_once(&once, routine));
    return unused;
}

int main(void)
{
    SYS(pipe(pipe_fd));
    pthread_t first = spawn(body, NULL);
    UNTIL(begun == 1);
    pthread_t second = spawn(body, NULL);
    let_others_block();
    OK(pthread_cancel(first));
    ASSERT_PTR(join(first), PTHREAD_CANCELED);
    UNTIL(begun == 2);
    write_all(pipe_fd[1], "x", 1);
    ASSERT_PTR(join(second), NULL);
    OK(pthread_once(&once, routine));
    ASSERT_EQ(begun, 2);
    ASSERT_EQ(ended, 1);
    return 0;
}
