// creat() and openat2() of a FIFO wait for a reader, and the writer's bytes arrive.
#include "coop-test.h"
#include <linux/openat2.h>

static void *creator(void *unused)
{
    (void)unused;
    int fd = SYS(creat("fifo", 0600));
    write_all(fd, "created", 7);
    SYS(close(fd));
    return NULL;
}

static void *opener(void *unused)
{
    (void)unused;
    struct open_how how = {.flags = O_WRONLY};
    int fd = SYS(syscall(SYS_openat2, AT_FDCWD, "fifo", &how, sizeof how));
    write_all(fd, "created", 7);
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    char got[8] = "";
    void *(*bodies[])(void *) = {creator, opener};
    SYS(mkfifo("fifo", 0600));
    for (int i = 0; i < 2; i++) {
        pthread_t thread = spawn(bodies[i], NULL);
        let_others_block();
        GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
        int fd = SYS(open("fifo", O_RDONLY));
        ASSERT_EQ(read_all(fd, got, 8), 7);
        ASSERT_STR(got, "created");
        join(thread);
        SYS(close(fd));
    }
    FAILS(syscall(SYS_openat2, AT_FDCWD, "fifo", (void *)16, 24), EFAULT);
    SYS(unlink("fifo"));
    return 0;
}
