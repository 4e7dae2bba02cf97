// A syscall in hand-written code without unwind information lets others run when it waits.
#include "coop-test.h"

__asm__(
    ".text\n"
    "bare_read:\n"
    "    mov $0, %eax\n"
    "    syscall\n"
    "    ret\n");

long bare_read(int fd, void *buffer, size_t size);

static int ends[2];

static void *reader(void *unused)
{
    (void)unused;
    char byte = 0;
    ASSERT_EQ(bare_read(ends[0], &byte, 1), 1);
    ASSERT_EQ(byte, 'b');
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    pthread_t one = spawn(reader, NULL), two = spawn(reader, NULL);
    let_others_block();
    SYS(write(ends[1], "bb", 2));
    join(one);
    join(two);
    return 0;
}
