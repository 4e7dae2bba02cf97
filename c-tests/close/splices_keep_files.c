// tee, splice, vmsplice and sendfile that wait when their descriptors are replaced go on with the files that they began with.
#include "coop-test.h"
#include <sys/sendfile.h>
#include <sys/uio.h>

enum { SIZE = 8 << 20 };
static int input, out;
static char bytes[SIZE], got[SIZE];

static void *tees(void *unused)
{
    ASSERT_EQ(SYS(tee(input, out, 3, 0)), 3);
    return unused;
}

static void *splices(void *unused)
{
    ASSERT_EQ(SYS(splice(input, NULL, out, NULL, 3, 0)), 3);
    return unused;
}

static void *vmsplices(void *unused)
{
    struct iovec one = {bytes, 3};
    ASSERT_EQ(SYS(vmsplice(out, &one, 1, 0)), 3);
    return unused;
}

static void *sends_file(void *unused)
{
    off_t offset = 0;
    ASSERT_EQ(SYS(sendfile(out, input, &offset, SIZE)), SIZE);
    ASSERT_EQ(offset, SIZE);
    return unused;
}

// How many bytes it took.
static long fill(int fd)
{
    long n, filled = 0;
    SYS(fcntl(fd, F_SETFL, O_NONBLOCK));
    while ((n = write(fd, bytes, 4096)) > 0) filled += n;
    ASSERT_EQ(errno, EAGAIN);
    SYS(fcntl(fd, F_SETFL, 0));
    return filled;
}

// The numbers become those of files that can be neither read nor written.
static void replace(int first, int second)
{
    int other = SYS(open("/", O_RDONLY | O_DIRECTORY));
    if (first != -1) SYS(dup2(other, first));
    if (second != -1) SYS(dup2(other, second));
    SYS(close(other));
}

// Waits for input, then for room, while one of the numbers is replaced, then the other, or both at once.
static void moves(void *(*body)(void *), int sockets)
{
    for (int full = 0; full < 2; full++)
        for (int which = 1; which < 4; which++) {
            int from[2], to[2];
            SYS(pipe(from));
            SYS(sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, to) : pipe(to));
            if (sockets) { int swap = to[0]; to[0] = to[1]; to[1] = swap; }
            long filled = full ? fill(to[1]) : 0;
            if (full) write_all(from[1], "abc", 3);
            input = from[0];
            out = to[1];
            int keeps = SYS(dup(from[0]));
            pthread_t thread = spawn(body, NULL);
            until_others_wait();
            replace(which & 1 ? input : -1, which & 2 ? out : -1);
            if (!full) write_all(from[1], "abc", 3);
            ASSERT_EQ(read_all(to[0], got, (size_t)filled + 3), (size_t)filled + 3);
            ASSERT(memcmp(got + filled, "abc", 3) == 0);
            join(thread);
            int all[] = {from[0], from[1], to[0], to[1], keeps};
            for (int i = 0; i < 5; i++) SYS(close(all[i]));
        }
}

static void puts_memory(void)
{
    int to[2];
    SYS(pipe(to));
    long filled = fill(to[1]);
    out = to[1];
    pthread_t thread = spawn(vmsplices, NULL);
    until_others_wait();
    replace(out, -1);
    ASSERT_EQ(read_all(to[0], got, (size_t)filled + 3), (size_t)filled + 3);
    ASSERT(memcmp(got + filled, bytes, 3) == 0);
    join(thread);
    SYS(close(to[0]));
    SYS(close(to[1]));
}

static void sends(int replaced_input, int replaced_out)
{
    int pair[2];
    FILE *file = tmpfile();
    tcp_pair(pair);
    write_all(fileno(file), bytes, SIZE);
    input = SYS(dup(fileno(file)));
    out = pair[0];
    pthread_t thread = spawn(sends_file, NULL);
    until_others_wait();
    replace(replaced_input ? input : -1, replaced_out ? out : -1);
    ASSERT_EQ(read_all(pair[1], got, SIZE), SIZE);
    ASSERT(memcmp(got, bytes, SIZE) == 0);
    join(thread);
    SYS(close(pair[0]));
    SYS(close(pair[1]));
    SYS(close(input));
    fclose(file);
}

int main(void)
{
    for (int i = 0; i < SIZE; i++) bytes[i] = (char)pattern(i);
    moves(tees, 0);
    moves(splices, 0);
    moves(splices, 1);
    puts_memory();
    for (int which = 1; which < 4; which++) sends(which & 1, which & 2);
    return 0;
}
