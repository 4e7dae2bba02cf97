// Threads that read one large directory each see every entry once; seekdir goes back.
#include "coop-test.h"
#include <dirent.h>

#define ENTRIES 500

static void *reader(void *unused)
{
    (void)unused;
    char seen[ENTRIES] = {0};
    DIR *dir = opendir("dir");
    ASSERT(dir != NULL);
    int count = 0;
    long middle = 0, next = -1;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        int i = atoi(entry->d_name);
        ASSERT(i >= 0 && i < ENTRIES && !seen[i]);
        seen[i] = 1;
        if (next == -2) next = i;
        if (++count == ENTRIES / 2) middle = telldir(dir), next = -2;
    }
    ASSERT_EQ(count, ENTRIES);
    seekdir(dir, middle);
    ASSERT_EQ(atoi(readdir(dir)->d_name), next);
    closedir(dir);
    return NULL;
}

int main(void)
{
    pthread_t threads[8];
    char name[32];
    SYS(mkdir("dir", 0700));
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof name, "dir/%d", i);
        SYS(close(SYS(open(name, O_WRONLY | O_CREAT, 0600))));
    }
    for (int i = 0; i < 8; i++) threads[i] = spawn(reader, NULL);
    for (int i = 0; i < 8; i++) join(threads[i]);
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof name, "dir/%d", i);
        SYS(unlink(name));
    }
    SYS(rmdir("dir"));
    return 0;
}
