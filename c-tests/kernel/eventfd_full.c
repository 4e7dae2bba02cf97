// A write to an eventfd whose counter has no room for it waits, by any step, until a read makes room.
#include "coop-test.h"
#include <sys/eventfd.h>

static int fd;
static volatile int written;

static void *writer(void *step)
{
    uint64_t value = (uintptr_t)step;
    ASSERT_EQ(write(fd, &value, 8), 8);
    written++;
    return NULL;
}

int main(void)
{
    fd = SYS(eventfd(0, 0));
    uint64_t steps[] = {1, 2, 1000, 1ULL << 40}, value;
    for (int i = 0; i < 4; i++) {
        value = UINT64_MAX - 1;
        ASSERT_EQ(write(fd, &value, 8), 8);
        written = 0;
        pthread_t threads[] = {spawn(writer, (void *)steps[i]), spawn(writer, (void *)steps[i])};
        let_others_block();
        ASSERT_EQ(written, 0);
        ASSERT_EQ(read(fd, &value, 8), 8);
        ASSERT_EQ(value, UINT64_MAX - 1);
        join(threads[0]);
        join(threads[1]);
        ASSERT_EQ(read(fd, &value, 8), 8);
        ASSERT_EQ(value, 2 * steps[i]);
    }
    // Room for one, and two are wanted.
    value = UINT64_MAX - 2;
    ASSERT_EQ(write(fd, &value, 8), 8);
    written = 0;
    pthread_t thread = spawn(writer, (void *)2);
    let_others_block();
    ASSERT_EQ(written, 0);
    ASSERT_EQ(read(fd, &value, 8), 8);
    join(thread);
    ASSERT_EQ(read(fd, &value, 8), 8);
    ASSERT_EQ(value, 2);
    value = UINT64_MAX;
    FAILS(write(fd, &value, 8), EINVAL);
    FAILS(write(fd, &value, 4), EINVAL);
    return 0;
}
