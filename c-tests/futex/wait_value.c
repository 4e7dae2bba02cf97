// FUTEX_WAIT compares first: another value is EAGAIN at once, in both wait calls, with a time-out or without.
#include "coop-test.h"

static uint32_t word = 5;

static void *body(void *unused)
{
    (void)unused;
    struct timespec hour = {.tv_sec = 3600};
    FAILS(futex(&word, FUTEX_WAIT_PRIVATE, 4, NULL, NULL, 0), EAGAIN);
    FAILS(futex(&word, FUTEX_WAIT_PRIVATE, 4, &hour, NULL, 0), EAGAIN);
    FAILS(futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN);
    FAILS(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 4, NULL, NULL, 1), EAGAIN);
    return NULL;
}

int main(void)
{
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
