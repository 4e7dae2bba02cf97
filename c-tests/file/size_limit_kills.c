// SIGXFSZ ends the process when nobody handles it.
// expect-exit: 153
#include "coop-test.h"
#include <sys/resource.h>

static void *body(void *unused)
{
    (void)unused;
    int fd = SYS(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    write_all(fd, "0123456789", 10);
    (void)!write(fd, "x", 1);
    FAIL("written beyond the limit");
}

int main(void)
{
    struct rlimit limit = {10, 10}, none = {0, 0};
    SYS(setrlimit(RLIMIT_CORE, &none));
    SYS(setrlimit(RLIMIT_FSIZE, &limit));
    join(spawn(body, NULL));
    return 0;
}
