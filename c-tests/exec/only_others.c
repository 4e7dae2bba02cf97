// A program whose name COOP_ONLY does not list runs natively: its threads are OS threads.
// env: COOP_ONLY=other,another
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
