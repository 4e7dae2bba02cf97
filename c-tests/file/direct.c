// O_DIRECT: reads and writes past the page cache from many threads, and F_SETFL that turns it on and off.
#include "coop-test.h"

#define BLOCK 4096
#define THREADS 10

static int fd;

static void *body(void *argument)
{
    off_t at = (off_t)(intptr_t)argument * BLOCK;
    unsigned char *block = aligned_alloc(BLOCK, BLOCK);
    for (int round = 0; round < 4; round++) {
        memset(block, (int)(at / BLOCK) + round, BLOCK);
        ASSERT_EQ(SYS(pwrite(fd, block, BLOCK, at)), BLOCK);
        memset(block, 0, BLOCK);
        ASSERT_EQ(SYS(pread(fd, block, BLOCK, at)), BLOCK);
        for (int i = 0; i < BLOCK; i++) ASSERT_EQ(block[i], (unsigned char)(at / BLOCK + round));
    }
    free(block);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    fd = open("file", O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0600);
    if (fd == -1 && errno == EINVAL) SKIP("no O_DIRECT on this file system");
    SYS(fd);
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT(SYS(fcntl(fd, F_GETFL)) & O_DIRECT);
    SYS(fcntl(fd, F_SETFL, SYS(fcntl(fd, F_GETFL)) & ~O_DIRECT));
    ASSERT_EQ(SYS(pwrite(fd, "any size", 8, 3)), 8);
    char text[8];
    ASSERT_EQ(SYS(pread(fd, text, 8, 3)), 8);
    ASSERT_MEM(text, "any size", 8);
    SYS(fcntl(fd, F_SETFL, SYS(fcntl(fd, F_GETFL)) | O_DIRECT));
    ASSERT(SYS(fcntl(fd, F_GETFL)) & O_DIRECT);
    join(spawn(body, NULL));
    return 0;
}
