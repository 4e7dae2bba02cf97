// Thousands of small reads of a file that the page cache loses a part of now and then give what is there, up to its end, while other
// threads go on; the number that they used means a pipe at once when it is one.
#include "coop-test.h"

#define BLOCK 4096
#define BLOCKS 256
#define READERS 3
#define READS 4000

static int fd, pipe_ends[2];
static _Atomic int at_work = READERS;

static void check(const unsigned char *bytes, size_t from, size_t size)
{
    for (size_t i = 0; i < size; i += 61) ASSERT_EQ(bytes[i], pattern(from + i));
}

static void *at_offset(void *argument)
{
    unsigned char bytes[BLOCK];
    unsigned seed = (unsigned)(intptr_t)argument;
    for (int i = 0; i < READS; i++) {
        size_t from = (size_t)(rand_r(&seed) % (BLOCKS * BLOCK));
        size_t there = BLOCKS * BLOCK - from < BLOCK ? BLOCKS * BLOCK - from : BLOCK;
        ASSERT_EQ(SYS(pread(fd, bytes, BLOCK, (off_t)from)), there);
        check(bytes, from, there);
    }
    at_work--;
    return NULL;
}

static void *at_position(void *unused)
{
    (void)unused;
    unsigned char bytes[BLOCK];
    int own = SYS(open("file", O_RDONLY));
    for (int round = 0; round < READS / BLOCKS; round++) {
        for (size_t i = 0; i < BLOCKS; i++) {
            ASSERT_EQ(SYS(read(own, bytes, BLOCK)), BLOCK);
            check(bytes, i * BLOCK, BLOCK);
        }
        ASSERT_EQ(SYS(read(own, bytes, BLOCK)), 0);
        ASSERT_EQ(SYS(lseek(own, 0, SEEK_SET)), 0);
    }
    // The number is another file's: the wait for it is that file's, too.
    SYS(dup2(pipe_ends[0], own));
    ASSERT_EQ(SYS(read(own, bytes, BLOCK)), 3);
    SYS(close(own));
    at_work--;
    return NULL;
}

static void *loses(void *unused)
{
    (void)unused;
    unsigned seed = 7;
    while (at_work > 1) {
        SYS(posix_fadvise(fd, rand_r(&seed) % BLOCKS * BLOCK, 8 * BLOCK, POSIX_FADV_DONTNEED));
        sleep_ms(3);
    }
    SYS(write(pipe_ends[1], "end", 3));
    return NULL;
}

int main(void)
{
    static unsigned char bytes[BLOCKS * BLOCK];
    pthread_t threads[READERS + 1];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = pattern(i);
    fd = SYS(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    write_all(fd, bytes, sizeof bytes);
    SYS(fsync(fd));
    SYS(pipe(pipe_ends));
    threads[0] = spawn(loses, NULL);
    threads[1] = spawn(at_position, NULL);
    threads[2] = spawn(at_offset, (void *)2);
    threads[3] = spawn(at_offset, (void *)3);
    for (int i = 0; i <= READERS; i++) join(threads[i]);
    return 0;
}
