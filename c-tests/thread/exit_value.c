// pthread_exit from deep inside a thread: its value is joined and cleanup handlers run, last pushed first.
#include "coop-test.h"

static char order[8];

static void note(void *letter)
{
    strcat(order, (const char *)letter);
}

__attribute__((noinline)) static void leave(void *value)
{
    pthread_cleanup_push(note, "c");
    sleep_ms(1);
    pthread_exit(value);
    pthread_cleanup_pop(0);
}

static void *body(void *argument)
{
    pthread_cleanup_push(note, "a");
    pthread_cleanup_push(note, "b");
    leave(argument);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    ASSERT_PTR(join(spawn(body, &order)), &order);
    ASSERT_STR(order, "cba");
    return 0;
}
