// A failing exec returns its error to the thread, and everything goes on.
#include "coop-test.h"

static void *body(void *unused)
{
    (void)unused;
    char *arguments[] = {(char *)"x", NULL}, *environment[] = {NULL};
    for (int i = 0; i < 10; i++) {
        FAILS(execve("/nonexistent", arguments, environment), ENOENT);
        FAILS(execve("/etc/passwd", arguments, environment), EACCES);
        sleep_ms(1);
    }
    return NULL;
}

int main(void)
{
    pthread_t one = spawn(body, NULL), two = spawn(body, NULL);
    join(one);
    join(two);
    return 0;
}
