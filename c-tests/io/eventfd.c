// An eventfd's reader waits for a value and takes it all, or one with EFD_SEMAPHORE; a writer waits when it is full.
#include "coop-test.h"
#include <sys/eventfd.h>

static int fd;

static void *reader(void *unused)
{
    (void)unused;
    uint64_t value;
    ASSERT_EQ(SYS(read(fd, &value, sizeof value)), 8);
    return (void *)(uintptr_t)value;
}

static void *writer(void *unused)
{
    (void)unused;
    uint64_t value = 5;
    ASSERT_EQ(SYS(write(fd, &value, sizeof value)), 8);
    return NULL;
}

int main(void)
{
    fd = SYS(eventfd(0, 0));
    pthread_t thread = spawn(reader, NULL);
    let_others_block();
    writer(NULL);
    ASSERT_EQ((uintptr_t)join(thread), 5);

    uint64_t most = UINT64_MAX - 1;
    SYS(write(fd, &most, sizeof most));
    thread = spawn(writer, NULL);
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    ASSERT_EQ((uintptr_t)reader(NULL), most);
    join(thread);
    ASSERT_EQ((uintptr_t)reader(NULL), 5);
    SYS(close(fd));

    fd = SYS(eventfd(0, EFD_SEMAPHORE));
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) threads[i] = spawn(reader, NULL);
    let_others_block();
    writer(NULL);
    for (int i = 0; i < 5; i++) ASSERT_EQ((uintptr_t)join(threads[i]), 1);
    return 0;
}
