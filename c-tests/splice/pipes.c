// tee and splice between pipes wait for what comes and for room, and the flag, or O_NONBLOCK, keeps them from it.
#include "coop-test.h"

enum { TOTAL = 1 << 20 };
static int from[2], to[2], copy[2];

static void *mover(void *unused)
{
    // Each piece is first copied, then moved.
    for (long moved = 0; moved < TOTAL;) {
        long n = SYS(tee(from[0], copy[1], 1 << 16, 0));
        ASSERT_GT(n, 0);
        for (long left = n; left > 0;) left -= SYS(splice(from[0], NULL, to[1], NULL, left, 0));
        moved += n;
    }
    SYS(close(to[1]));
    SYS(close(copy[1]));
    return unused;
}

static void *writer(void *unused)
{
    static unsigned char bytes[TOTAL];
    for (int i = 0; i < TOTAL; i++) bytes[i] = pattern(i);
    for (int done = 0; done < TOTAL; done += 1 << 12) {
        if (done % (1 << 18) == 0) let_others_block();
        write_all(from[1], bytes + done, 1 << 12);
    }
    return unused;
}

static void *reader(void *fd)
{
    unsigned char bytes[1 << 12];
    for (int done = 0; done < TOTAL; done += sizeof bytes) {
        ASSERT_EQ(read_all(*(int *)fd, bytes, sizeof bytes), sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i++) ASSERT_EQ(bytes[i], pattern(done + i));
    }
    ASSERT_EQ(read(*(int *)fd, bytes, 1), 0);
    return NULL;
}

int main(void)
{
    SYS(pipe(from));
    SYS(pipe(to));
    SYS(pipe(copy));
    FAILS(tee(from[0], copy[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
    FAILS(splice(from[0], NULL, to[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    pthread_t threads[] = {spawn(mover, NULL), spawn(writer, NULL), spawn(reader, &to[0]), spawn(reader, &copy[0])};
    for (int i = 0; i < 4; i++) join(threads[i]);
    SYS(fcntl(from[0], F_SETFL, O_NONBLOCK));
    SYS(pipe(to));
    FAILS(splice(from[0], NULL, to[1], NULL, 1, 0), EAGAIN);
    SYS(close(from[1]));
    ASSERT_EQ(splice(from[0], NULL, to[1], NULL, 1, 0), 0);
    return 0;
}
