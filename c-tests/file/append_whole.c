// Writes with O_APPEND from many threads: each record is whole, none is lost, each thread's come in order.
#include "coop-test.h"

#define THREADS 20
#define RECORDS 50
#define SIZE 300

static void *writer(void *argument)
{
    int me = (int)(intptr_t)argument, fd = SYS(open("log", O_WRONLY | O_APPEND));
    unsigned char record[SIZE];
    for (int i = 0; i < RECORDS; i++) {
        memset(record, me, sizeof record);
        record[1] = (unsigned char)i;
        ASSERT_EQ(SYS(write(fd, record, sizeof record)), SIZE);
    }
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    unsigned char record[SIZE], next[THREADS] = {0};
    int fd = SYS(open("log", O_RDWR | O_CREAT | O_TRUNC, 0600));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(writer, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    for (int i = 0; i < THREADS * RECORDS; i++) {
        ASSERT_EQ(read_all(fd, record, SIZE), SIZE);
        ASSERT_LT(record[0], THREADS);
        ASSERT_EQ(record[1], next[record[0]]++);
        for (int k = 2; k < SIZE; k++) ASSERT_EQ(record[k], record[0]);
    }
    ASSERT_EQ(SYS(read(fd, record, SIZE)), 0);
    return 0;
}
