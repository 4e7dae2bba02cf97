// readv and writev wait like read and write, fill their parts in order and accept empty ones.
#include "coop-test.h"
#include <sys/uio.h>

static int ends[2];

static void *reader(void *unused)
{
    (void)unused;
    char one[3] = "", two[5] = "";
    struct iovec parts[] = {{one, 2}, {NULL, 0}, {two, 4}};
    ASSERT_EQ(SYS(readv(ends[0], parts, 3)), 6);
    ASSERT_STR(one, "ab");
    ASSERT_STR(two, "cdef");
    return NULL;
}

static void *writer(void *bytes)
{
    struct iovec parts[] = {{bytes, 100}, {(char *)bytes + 100, 300000}, {(char *)bytes + 300100, 1}};
    ASSERT_EQ(SYS(writev(ends[1], parts, 3)), 300101);
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    pthread_t thread = spawn(reader, NULL);
    let_others_block();
    struct iovec parts[] = {{(char *)"abc", 3}, {(char *)"def", 3}};
    ASSERT_EQ(SYS(writev(ends[1], parts, 2)), 6);
    join(thread);

    static unsigned char bytes[300101], got[300101];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = pattern(i);
    thread = spawn(writer, bytes);
    let_others_block();
    ASSERT_EQ(read_all(ends[0], got, sizeof got), sizeof got);
    ASSERT_MEM(got, bytes, sizeof got);
    join(thread);
    volatile int negative = -1;
    FAILS(readv(ends[0], parts, negative), EINVAL);
    return 0;
}
