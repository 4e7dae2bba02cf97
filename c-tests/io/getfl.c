// F_GETFL shows what the program set and nothing else, while threads wait on the descriptors and after.
#include "coop-test.h"
#include <sys/eventfd.h>

static int ends[2], pair[2], nonblocking[2], listener, event;
static struct sockaddr_in address;

static void flags_are_the_programs(void)
{
    ASSERT_EQ(fcntl(ends[0], F_GETFL), O_RDONLY);
    ASSERT_EQ(fcntl(ends[1], F_GETFL), O_WRONLY);
    ASSERT_EQ(fcntl(pair[0], F_GETFL), O_RDWR);
    ASSERT_EQ(fcntl(pair[1], F_GETFL), O_RDWR);
    ASSERT_EQ(fcntl(listener, F_GETFL), O_RDWR);
    ASSERT_EQ(fcntl(event, F_GETFL), O_RDWR);
    ASSERT_EQ(fcntl(nonblocking[0], F_GETFL), O_RDONLY | O_NONBLOCK);
    ASSERT_EQ(fcntl(nonblocking[1], F_GETFL), O_WRONLY | O_NONBLOCK);
}

static void *body(void *argument)
{
    static char bytes[1 << 20];
    uint64_t value;
    char byte;
    switch ((intptr_t)argument) {
    case 0: ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1); break;
    case 1: ASSERT_EQ(SYS(recv(pair[0], &byte, 1, 0)), 1); break;
    case 2: ASSERT_EQ(SYS(send(pair[0], bytes, sizeof bytes, 0)), sizeof bytes); break;
    case 3: SYS(close(SYS(accept(listener, NULL, NULL)))); break;
    case 4: ASSERT_EQ(SYS(read(event, &value, 8)), 8); break;
    case 5: FAILS(read(nonblocking[0], &byte, 1), EAGAIN); break;
    }
    return NULL;
}

int main(void)
{
    static char bytes[1 << 20];
    uint64_t one = 1;
    SYS(pipe(ends));
    SYS(pipe2(nonblocking, O_NONBLOCK));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    listener = tcp_listener(&address, 5);
    event = SYS(eventfd(0, 0));

    pthread_t threads[6];
    for (intptr_t i = 0; i < 6; i++) threads[i] = spawn(body, (void *)i);
    let_others_block();
    flags_are_the_programs();

    SYS(write(ends[1], "x", 1));
    SYS(write(pair[1], "x", 1));
    ASSERT_EQ(read_all(pair[1], bytes, sizeof bytes), sizeof bytes);
    int client = tcp_connect(&address);
    ASSERT_EQ(fcntl(client, F_GETFL), O_RDWR);
    SYS(write(event, &one, 8));
    for (int i = 0; i < 6; i++) join(threads[i]);
    flags_are_the_programs();
    return 0;
}
