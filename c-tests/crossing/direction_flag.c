// New threads and signal handlers start with the direction flag clear; a syscall made with it set works all the same.
#include "coop-test.h"

static _Atomic int handled;
static int ends[2];

static int direction_flag(void)
{
    long flags;
    __asm__ volatile("pushf\n pop %0" : "=r"(flags) : : "memory");
    return (flags >> 10) & 1;
}

static long syscall_backwards(long number, long a, const void *b, long c)
{
    long result;
    __asm__ volatile("std\n syscall\n cld"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "cc", "memory");
    return result;
}

static void handler(int number)
{
    (void)number;
    ASSERT_EQ(direction_flag(), 0);
    handled++;
}

static void *body(void *unused)
{
    (void)unused;
    ASSERT_EQ(direction_flag(), 0);
    char word[6] = "";
    ASSERT_EQ(syscall_backwards(SYS_read, ends[0], word, 5), 5);
    ASSERT_STR(word, "right");
    syscall_backwards(SYS_tgkill, getpid(), (void *)(intptr_t)my_tid(), SIGUSR1);
    UNTIL(handled == 1);
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_RESTART);
    SYS(pipe(ends));
    pthread_t thread = spawn(body, NULL);
    let_others_block();
    ASSERT_EQ(syscall_backwards(SYS_write, ends[1], "right", 5), 5);
    ASSERT_EQ(syscall_backwards(SYS_sched_yield, 0, NULL, 0), 0);
    join(thread);
    return 0;
}
