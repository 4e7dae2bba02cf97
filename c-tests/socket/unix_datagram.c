// Unix datagrams keep their bounds; a sender waits while the receiver's queue is full.
#include "coop-test.h"

static int pair[2];

static void *sender(void *unused)
{
    (void)unused;
    char message[300];
    for (int i = 0; i < 300; i++) {
        memset(message, i, sizeof message);
        ASSERT_EQ(SYS(send(pair[0], message, i + 1, 0)), i + 1);
    }
    return NULL;
}

int main(void)
{
    char message[400];
    SYS(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    pthread_t thread = spawn(sender, NULL);
    let_others_block();
    // The kernel's queue is shorter than that.
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    for (int i = 0; i < 300; i++) {
        ASSERT_EQ(SYS(recv(pair[1], message, sizeof message, 0)), i + 1);
        ASSERT_EQ(message[i], (char)i);
    }
    join(thread);
    FAILS(recv(pair[1], message, 1, MSG_DONTWAIT), EAGAIN);
    return 0;
}
