// main ends by pthread_exit: the process goes on with its threads, and ends with 0 when the last of them returns.
#include "coop-test.h"

static int report;

static void at_end(void)
{
    write_all(report, "e", 1);
}

static void *goes_on(void *argument)
{
    sleep_ms(10 * (int)(intptr_t)argument);
    write_all(report, "t", 1);
    return NULL;
}

int main(void)
{
    int reports[2];
    char text[10] = "";
    SYS(pipe(reports));
    pid_t child = SYS(fork());
    if (child == 0) {
        report = reports[1];
        atexit(at_end);
        for (intptr_t i = 1; i <= 3; i++) spawn(goes_on, (void *)i);
        pthread_exit(NULL);
    }
    SYS(close(reports[1]));
    ASSERT_EQ(finish(child), 0);
    read_all(reports[0], text, sizeof text);
    ASSERT_STR(text, "ttte");
    return 0;
}
