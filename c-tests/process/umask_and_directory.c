// The working directory and the umask are the process's: what one thread sets the others have, and children inherit.
#include "coop-test.h"

static char directory[] = "/tmp/coop-cwd-XXXXXX";

static void *sets(void *unused)
{
    (void)unused;
    SYS(chdir(directory));
    ASSERT_EQ(umask(077), 022);
    return NULL;
}

static void *looks(void *unused)
{
    char here[100];
    struct stat status;
    (void)unused;
    ASSERT(getcwd(here, sizeof here) != NULL);
    ASSERT_STR(here, directory);
    SYS(close(SYS(open("file", O_CREAT | O_WRONLY, 0666))));
    SYS(stat("file", &status));
    ASSERT_EQ(status.st_mode & 0777, 0600);
    SYS(unlink("file"));
    ASSERT_EQ(system("test $(umask) = 0077"), 0);
    return NULL;
}

int main(void)
{
    umask(022);
    ASSERT(mkdtemp(directory) != NULL);
    spawn(pause_for_ever, NULL);
    join(spawn(sets, NULL));
    for (int i = 0; i < 3; i++) join(spawn(looks, NULL));
    looks(NULL);
    SYS(chdir("/"));
    SYS(rmdir(directory));
    return 0;
}
