// A double fork with setsid, as daemons do, from a process with threads; the daemon then makes threads of its own.
#include "coop-test.h"

static int ends[2];

static void *writer(void *unused)
{
    (void)unused;
    sleep_ms(2);
    write_all(ends[1], "up", 2);
    return NULL;
}

int main(void)
{
    char word[3] = "";
    SYS(pipe(ends));
    pthread_t thread = spawn(pause_for_ever, NULL);
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(setsid());
        if (SYS(fork()) != 0) _exit(0);
        join(spawn(writer, NULL));
        _exit(0);
    }
    ASSERT_EQ(finish(child), 0);
    SYS(close(ends[1]));
    ASSERT_EQ(read_all(ends[0], word, 3), 2);
    ASSERT_STR(word, "up");
    OK(pthread_cancel(thread));
    join(thread);
    return 0;
}
