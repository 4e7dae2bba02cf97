// Many threads read parts of a file that is not in the page cache: all parts are right.
#include "coop-test.h"

#define THREADS 30
#define PART 20000

static int fd;

static void *reader(void *argument)
{
    size_t from = (size_t)(intptr_t)argument * PART;
    unsigned char *bytes = malloc(PART);
    ASSERT_EQ(SYS(pread(fd, bytes, PART, (off_t)from)), PART);
    for (size_t i = 0; i < PART; i++) ASSERT_EQ(bytes[i], pattern(from + i));
    free(bytes);
    return NULL;
}

int main(void)
{
    static unsigned char all[THREADS * PART];
    pthread_t threads[THREADS];
    fd = SYS(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    for (size_t i = 0; i < sizeof all; i++) all[i] = pattern(i);
    write_all(fd, all, sizeof all);
    SYS(fdatasync(fd));
    for (int round = 0; round < 3; round++) {
        SYS(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
        for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(reader, (void *)i);
        for (int i = 0; i < THREADS; i++) join(threads[i]);
    }
    return 0;
}
