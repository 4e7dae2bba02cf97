// copy_file_range from several threads, with offsets of their own and at the files' positions; and its errors.
#include "coop-test.h"

enum { PIECE = 100000, PIECES = 8 };
static int from, to;

static void *copier(void *number)
{
    off_t at = (long)number * PIECE, there = at;
    for (long left = PIECE; left > 0;) left -= SYS(copy_file_range(from, &at, to, &there, left, 0));
    ASSERT_EQ(there, ((long)number + 1) * PIECE);
    return NULL;
}

int main(void)
{
    static unsigned char bytes[PIECE * PIECES];
    from = fileno(tmpfile());
    to = fileno(tmpfile());
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = pattern(i);
    write_all(from, bytes, sizeof bytes);
    pthread_t threads[PIECES];
    for (long i = 0; i < PIECES; i++) threads[i] = spawn(copier, (void *)i);
    for (int i = 0; i < PIECES; i++) join(threads[i]);
    memset(bytes, 0, sizeof bytes);
    ASSERT_EQ(pread(to, bytes, sizeof bytes, 0), sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) ASSERT_EQ(bytes[i], pattern(i));
    ASSERT_EQ(copy_file_range(from, NULL, to, NULL, 1, 0), 0);
    FAILS(copy_file_range(from, NULL, to, NULL, 1, 99), EINVAL);
    FAILS(copy_file_range(-1, NULL, to, NULL, 1, 0), EBADF);
    return 0;
}
