// After pthread_exit in main the threads go on; the last to end ends the process with 0, after the atexit handlers.
#include "coop-test.h"

static void said(void) { puts("at exit"); }

static void *body(void *unused)
{
    (void)unused;
    sleep_ms(20);
    puts("the last thread ends");
    return NULL;
}

int main(void)
{
    atexit(said);
    spawn(body, NULL);
    pthread_exit(NULL);
}
