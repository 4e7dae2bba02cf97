// A program whose name COOP_SKIP lists runs natively: its threads are OS threads.
// env: COOP_SKIP=other,test
#include "coop-test.h"

static void *looks(void *unused)
{
    (void)unused;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d", my_tid());
    SYS(access(path, F_OK));
    return NULL;
}

int main(void)
{
    join(spawn(looks, NULL));
    looks(NULL);
    return 0;
}
