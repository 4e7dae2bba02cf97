// A number with waiters gets another file, and then the first one again: those who waited before and those who wait since all hear of what comes.
#include "coop-test.h"

enum { NUMBER = 50 };
static int ends[2];
static volatile int begun;

static void *reads(void *unused)
{
    char byte;
    begun = 1;
    ASSERT_EQ(SYS(read(NUMBER, &byte, 1)), 1);
    return unused;
}

static void *polls(void *unused)
{
    struct pollfd one = {.fd = NUMBER, .events = POLLIN};
    begun = 1;
    ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
    return unused;
}

static pthread_t waiting(void *(*body)(void *))
{
    begun = 0;
    pthread_t thread = spawn(body, NULL);
    UNTIL(begun);
    let_others_block();
    return thread;
}

static void leave_and_come_back(void)
{
    int other = SYS(open("/dev/null", O_RDONLY));
    SYS(dup2(other, NUMBER));
    SYS(dup2(ends[0], NUMBER));
    SYS(close(other));
}

int main(void)
{
    SYS(pipe(ends));
    SYS(dup2(ends[0], NUMBER));
    pthread_t first = waiting(polls), second = waiting(reads);
    leave_and_come_back();
    pthread_t third = waiting(reads), fourth = waiting(polls);
    leave_and_come_back();
    pthread_t fifth = waiting(reads), sixth = waiting(polls);
    // Those who poll see the first byte, or one of the others.
    for (int i = 0; i < 3; i++) {
        write_all(ends[1], "x", 1);
        let_others_block();
    }
    join(second), join(third), join(fifth);
    // A poll that the last reader was quicker than.
    write_all(ends[1], "x", 1);
    join(first), join(fourth), join(sixth);
    return 0;
}
