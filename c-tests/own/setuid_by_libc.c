// libc's seteuid is for all threads, those with something of their own, waiting or at work, included; what is a thread's own stays.
#include "own.h"

enum { NOBODY = 65534 };
static volatile int stop;
static int pipes[2];
static pthread_barrier_t barrier;

static void *waits(void *unused)
{
    char byte;
    SYS(prctl(PR_SET_TIMERSLACK, 71000, 0, 0, 0));
    pthread_barrier_wait(&barrier);
    ASSERT_EQ(read(pipes[0], &byte, 1), 1);
    ASSERT_EQ(geteuid(), NOBODY);
    ASSERT_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 71000);
    return unused;
}

static void *computes(void *unused)
{
    SYS(prctl(PR_SET_TIMERSLACK, 72000, 0, 0, 0));
    pthread_barrier_wait(&barrier);
    while (!stop) {}
    ASSERT_EQ(geteuid(), NOBODY);
    return unused;
}

static void *opens(void *path)
{
    SYS(prctl(PR_SET_TIMERSLACK, 73000, 0, 0, 0));
    pthread_barrier_wait(&barrier);
    int fd = open(path, O_RDONLY);
    while (fd == -1 && errno == EINTR) fd = open(path, O_RDONLY);
    SYS(fd);
    ASSERT_EQ(geteuid(), NOBODY);
    return NULL;
}

int main(void)
{
    char directory[] = "/tmp/coop-own-XXXXXX", fifo[100];
    need_root();
    open_directory(directory);
    snprintf(fifo, sizeof fifo, "%s/fifo", directory);
    SYS(mkfifo(fifo, 0600));
    SYS(chmod(fifo, 0666));
    SYS(pipe(pipes));
    pthread_barrier_init(&barrier, NULL, 4);
    pthread_t threads[] = {spawn(waits, NULL), spawn(computes, NULL), spawn(opens, fifo)};
    pthread_barrier_wait(&barrier);
    let_others_block();
    for (int i = 0; i < 10; i++) {
        SYS(seteuid(NOBODY));
        ASSERT_EQ(geteuid(), NOBODY);
        SYS(seteuid(0));
    }
    SYS(seteuid(NOBODY));
    stop = 1;
    write_all(pipes[1], "x", 1);
    int fd = SYS(open(fifo, O_WRONLY));
    for (int i = 0; i < 3; i++) join(threads[i]);
    SYS(close(fd));
    SYS(seteuid(0));
    SYS(unlink(fifo));
    SYS(rmdir(directory));
    return 0;
}
