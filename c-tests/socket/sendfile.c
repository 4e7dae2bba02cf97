// sendfile from a file to a full socket waits for the receiver; splice from an empty pipe waits for data.
#include "coop-test.h"
#include <sys/sendfile.h>

#define SIZE (1 << 20)

static int pair[2], file, ends[2];

static void *send_file(void *unused)
{
    (void)unused;
    for (off_t offset = 0; offset < SIZE;) SYS(sendfile(pair[0], file, &offset, SIZE - offset));
    return NULL;
}

static void *splice_in(void *unused)
{
    (void)unused;
    ASSERT_EQ(SYS(splice(ends[0], NULL, pair[0], NULL, 100, 0)), 3);
    return NULL;
}

int main(void)
{
    unsigned char *bytes = malloc(SIZE), *got = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) bytes[i] = pattern(i);
    file = SYS(open("data", O_RDWR | O_CREAT, 0600));
    write_all(file, bytes, SIZE);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pthread_t thread = spawn(send_file, NULL);
    let_others_block();
    ASSERT_EQ(read_all(pair[1], got, SIZE), SIZE);
    ASSERT_MEM(got, bytes, SIZE);
    join(thread);

    SYS(pipe(ends));
    thread = spawn(splice_in, NULL);
    let_others_block();
    SYS(write(ends[1], "abc", 3));
    join(thread);
    ASSERT_EQ(read_all(pair[1], got, 3), 3);
    ASSERT_MEM(got, "abc", 3);
    free(bytes);
    free(got);
    return 0;
}
