// vmsplice waits for room in a pipe and for data from it, and gives what it moved.
#include "coop-test.h"
#include <sys/uio.h>

enum { TOTAL = 1 << 20 };
static int ends[2];

static void *writer(void *unused)
{
    unsigned char *bytes = mmap(NULL, TOTAL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < TOTAL; i++) bytes[i] = pattern(i);
    for (int done = 0; done < TOTAL;) {
        struct iovec vector = {bytes + done, TOTAL - done};
        done += SYS(vmsplice(ends[1], &vector, 1, 0));
    }
    SYS(close(ends[1]));
    return unused;
}

int main(void)
{
    static unsigned char bytes[10000];
    SYS(pipe(ends));
    struct iovec vector = {bytes, sizeof bytes};
    FAILS(vmsplice(ends[0], &vector, 1, SPLICE_F_NONBLOCK), EAGAIN);
    pthread_t thread = spawn(writer, NULL);
    int done = 0;
    for (long n; (n = SYS(vmsplice(ends[0], &vector, 1, 0))) > 0; done += n)
        for (int i = 0; i < n; i++) ASSERT_EQ(bytes[i], pattern(done + i));
    ASSERT_EQ(done, TOTAL);
    join(thread);
    int other = SYS(open("/dev/null", O_WRONLY));
    FAILS(vmsplice(other, &vector, 1, 0), EBADF);
    return 0;
}
