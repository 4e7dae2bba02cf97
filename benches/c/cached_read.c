/* Reads of 4 KiB of a file that the page cache has: at an offset, at the file's position, and on a file system in memory. */
#include "bench.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK 4096
#define BLOCKS 64

static int fd;
static char block[BLOCK];

static void at_offset(long n)
{
    for (long i = 0; i < n; i++)
        MUST(pread(fd, block, BLOCK, i % BLOCKS * BLOCK) == BLOCK ? 0 : errno);
}

static void at_position(long n)
{
    for (long i = 0; i < n; i++) {
        if (i % BLOCKS == 0)
            MUST_ERRNO(lseek(fd, 0, SEEK_SET));
        MUST(read(fd, block, BLOCK) == BLOCK ? 0 : errno);
    }
}

static void fill(void)
{
    for (int i = 0; i < BLOCKS; i++)
        MUST(write(fd, block, BLOCK) == BLOCK ? 0 : errno);
}

static void bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    char name[] = "/tmp/coop-bench-XXXXXX";
    MUST_ERRNO(fd = mkstemp(name));
    MUST_ERRNO(unlink(name));
    fill();
    bench_measure("pread", at_offset, "ns");
    bench_measure("read", at_position, "ns");
    MUST_ERRNO(fd = memfd_create("memory", 0));
    fill();
    bench_measure("in-memory", at_offset, "ns");
}
