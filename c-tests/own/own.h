// For the tests of what a thread has for itself: identities for files, and ways to look at them.
#include "coop-test.h"
#include <sys/fsuid.h>
#include <sys/prctl.h>

static inline void need_root(void)
{
    if (geteuid() != 0) SKIP("needs root");
}

static inline uid_t fsuid(void)
{
    return (uid_t)setfsuid((uid_t)-1);
}

// A directory in which anybody can make files.
static inline void open_directory(char *path)
{
    ASSERT(mkdtemp(path) != NULL);
    SYS(chmod(path, 0777));
}

static inline uid_t owner(const char *path)
{
    struct stat about;
    SYS(stat(path, &about));
    return about.st_uid;
}
