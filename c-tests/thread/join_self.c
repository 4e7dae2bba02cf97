// Joining oneself is EDEADLK, in a thread and in main.
#include "coop-test.h"

static void *join_myself(void *unused)
{
    (void)unused;
    GIVES(pthread_join(pthread_self(), NULL), EDEADLK);
    return NULL;
}

int main(void)
{
    join(spawn(join_myself, NULL));
    GIVES(pthread_join(pthread_self(), NULL), EDEADLK);
    return 0;
}
