// Fifty threads make, name, rename, link, look at and remove files and directories of their own in one directory.
#include "coop-test.h"
#include <dirent.h>

#define THREADS 50

static void *body(void *argument)
{
    char a[64], b[64], target[64];
    struct stat one, two;
    for (int i = 0; i < 5; i++) {
        snprintf(a, sizeof a, "dir/%ld-%d", (long)(intptr_t)argument, i);
        snprintf(b, sizeof b, "dir/%ld-%d-b", (long)(intptr_t)argument, i);
        SYS(close(SYS(open(a, O_WRONLY | O_CREAT | O_EXCL, 0640))));
        FAILS(open(a, O_WRONLY | O_CREAT | O_EXCL, 0640), EEXIST);
        SYS(link(a, b));
        SYS(stat(a, &one));
        SYS(lstat(b, &two));
        ASSERT_EQ(one.st_ino, two.st_ino);
        ASSERT_EQ(one.st_nlink, 2);
        SYS(unlink(a));
        FAILS(stat(a, &one), ENOENT);
        SYS(symlink(b, a));
        ASSERT_EQ(SYS(readlink(a, target, sizeof target)), strlen(b));
        SYS(rename(a, b));
        SYS(lstat(b, &one));
        ASSERT(S_ISLNK(one.st_mode));
        SYS(unlink(b));
        SYS(mkdir(a, 0700));
        FAILS(unlink(a), EISDIR);
        FAILS(rmdir("dir"), ENOTEMPTY);
        SYS(rmdir(a));
        FAILS(access(a, F_OK), ENOENT);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    SYS(mkdir("dir", 0700));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    SYS(rmdir("dir"));
    return 0;
}
