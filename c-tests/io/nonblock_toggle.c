// Turning O_NONBLOCK on and off decides for the calls made after it, also while another thread waits on the same pipe.
#include "coop-test.h"
#include <sys/ioctl.h>

static int ends[2];

static void *reader(void *unused)
{
    (void)unused;
    char byte = 0;
    ssize_t got;
    // One who came after the flag was set is told to come again.
    while ((got = read(ends[0], &byte, 1)) == -1) {
        ASSERT_EQ(errno, EAGAIN);
        sleep_ms(1);
    }
    ASSERT_EQ(got, 1);
    ASSERT_EQ(byte, 'q');
    return NULL;
}

int main(void)
{
    char byte;
    int on = 1, off = 0;
    SYS(pipe(ends));
    pthread_t thread = spawn(reader, NULL);
    let_others_block();
    SYS(fcntl(ends[0], F_SETFL, O_NONBLOCK));
    FAILS(read(ends[0], &byte, 1), EAGAIN);
    SYS(fcntl(ends[0], F_SETFL, 0));
    SYS(ioctl(ends[0], FIONBIO, &on));
    ASSERT_EQ(fcntl(ends[0], F_GETFL), O_RDONLY | O_NONBLOCK);
    FAILS(read(ends[0], &byte, 1), EAGAIN);
    SYS(write(ends[1], "q", 1));
    join(thread);
    SYS(ioctl(ends[0], FIONBIO, &off));
    ASSERT_EQ(fcntl(ends[0], F_GETFL), O_RDONLY);
    // Waits again.
    thread = spawn(reader, NULL);
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    SYS(write(ends[1], "q", 1));
    join(thread);
    return 0;
}
