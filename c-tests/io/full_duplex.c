// One thread reads a socket while another writes it, on both ends, more than the buffers hold.
#include "coop-test.h"

#define SIZE (2 << 20)

static int pair[2];
static unsigned char bytes[SIZE];

static void *reader(void *fd)
{
    unsigned char *got = malloc(SIZE);
    ASSERT_EQ(read_all(*(int *)fd, got, SIZE), SIZE);
    ASSERT_MEM(got, bytes, SIZE);
    free(got);
    return NULL;
}

static void *writer(void *fd)
{
    write_all(*(int *)fd, bytes, SIZE);
    return NULL;
}

int main(void)
{
    for (size_t i = 0; i < SIZE; i++) bytes[i] = pattern(i);
    for (int tcp = 0; tcp < 2; tcp++) {
        if (tcp) tcp_pair(pair);
        else SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        pthread_t threads[4];
        for (int i = 0; i < 2; i++) {
            threads[i] = spawn(writer, &pair[i]);
            threads[2 + i] = spawn(reader, &pair[i]);
        }
        for (int i = 0; i < 4; i++) join(threads[i]);
    }
    return 0;
}
