// Threads with file system identities of their own make files at the same time, in every way: each file is its maker's.
#include "own.h"

static char directory[] = "/tmp/coop-own-XXXXXX";

static void *makes(void *argument)
{
    uid_t me = (uid_t)(intptr_t)argument;
    char path[100], other[100];
    struct stat about;
    ASSERT_EQ(setfsgid(me), 0);
    ASSERT_EQ(setfsuid(me), 0);
    for (int i = 0; i < 30; i++) {
        snprintf(path, sizeof path, "%s/%u-%d", directory, me, i);
        snprintf(other, sizeof other, "%s/%u-%d-renamed", directory, me, i);
        int fd = SYS(open(path, O_CREAT | O_RDWR | O_EXCL | (i % 2 ? O_SYNC : 0), 0600));
        ASSERT_EQ(write(fd, "mine", 4), 4);
        SYS(fsync(fd));
        SYS(fstat(fd, &about));
        ASSERT_EQ(about.st_uid, me);
        ASSERT_EQ(about.st_gid, me);
        SYS(close(fd));
        SYS(rename(path, other));
        SYS(truncate(other, 1));
        FAILS(chown(other, 0, 0), EPERM);
        SYS(unlink(other));
        SYS(mkdir(path, 0700));
        ASSERT_EQ(owner(path), me);
        DIR *list = opendir(path);
        ASSERT(list != NULL);
        while (readdir(list) != NULL) {}
        closedir(list);
        SYS(rmdir(path));
        sched_yield();
        ASSERT_EQ(fsuid(), me);
    }
    return NULL;
}

static void *looks(void *argument)
{
    char path[100];
    for (int i = 0; i < 100; i++) {
        ASSERT_EQ(fsuid(), 0);
        snprintf(path, sizeof path, "%s/root-%d-%d", directory, (int)(intptr_t)argument, i);
        SYS(close(SYS(open(path, O_CREAT | O_SYNC | O_RDWR, 0600))));
        ASSERT_EQ(owner(path), 0);
        SYS(unlink(path));
        sched_yield();
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[8];
    need_root();
    open_directory(directory);
    for (int i = 0; i < 8; i++)
        threads[i] = i % 4 == 3 ? spawn(looks, (void *)(intptr_t)i) : spawn(makes, (void *)(intptr_t)(1000 + i));
    for (int i = 0; i < 8; i++) join(threads[i]);
    ASSERT_EQ(fsuid(), 0);
    SYS(rmdir(directory));
    return 0;
}
