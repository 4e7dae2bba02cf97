// Threads that read records through one descriptor share its position: each record is had once, and whole.
#include "coop-test.h"

#define THREADS 8
#define RECORDS 2000
#define SIZE 128

static int fd;
static _Atomic int seen[RECORDS];

static void *reader(void *unused)
{
    (void)unused;
    int record[SIZE / sizeof(int)];
    ssize_t got;
    while ((got = SYS(read(fd, record, SIZE))) > 0) {
        ASSERT_EQ(got, SIZE);
        for (size_t k = 0; k < SIZE / sizeof(int); k++) ASSERT_EQ(record[k], record[0]);
        seen[record[0]]++;
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int record[SIZE / sizeof(int)];
    fd = SYS(open("records", O_RDWR | O_CREAT | O_TRUNC, 0600));
    for (int i = 0; i < RECORDS; i++) {
        for (size_t k = 0; k < SIZE / sizeof(int); k++) record[k] = i;
        write_all(fd, record, SIZE);
    }
    SYS(fsync(fd));
    // Half of it is to come from the disk.
    SYS(posix_fadvise(fd, 64 << 10, 128 << 10, POSIX_FADV_DONTNEED));
    SYS(lseek(fd, 0, SEEK_SET));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(reader, NULL);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    for (int i = 0; i < RECORDS; i++) ASSERT_EQ(seen[i], 1);
    return 0;
}
