// A thread cancelled in accept leaves a listener that still accepts.
#include "coop-test.h"

static int listener;

static void *body(void *unused)
{
    (void)unused;
    accept(listener, NULL, NULL);
    FAIL("accept returned in a cancelled thread");
}

int main(void)
{
    struct sockaddr_in address;
    listener = tcp_listener(&address, 5);
    pthread_t thread = spawn(body, NULL);
    let_others_block();
    OK(pthread_cancel(thread));
    ASSERT_PTR(join(thread), PTHREAD_CANCELED);
    int client = tcp_connect(&address), server = SYS(accept(listener, NULL, NULL));
    char byte;
    SYS(write(client, "y", 1));
    ASSERT_EQ(SYS(read(server, &byte, 1)), 1);
    ASSERT_EQ(byte, 'y');
    return 0;
}
