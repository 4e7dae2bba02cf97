// After unshare(CLONE_FS) a thread's working directory and mask are its own, and its new threads'; for all others nothing changes.
#include "own.h"

static char directory[] = "/tmp/coop-own-XXXXXX";
static sem_t moved, done;

static void *there_too(void *unused)
{
    char here[200];
    ASSERT(getcwd(here, sizeof here) != NULL);
    ASSERT_STR(here, directory);
    return unused;
}

static void *moves(void *unused)
{
    SYS(unshare(CLONE_FS));
    SYS(chdir(directory));
    umask(0077);
    there_too(NULL);
    sem_post(&moved);
    while (sem_wait(&done) != 0) {}
    there_too(NULL);
    join(spawn(there_too, NULL));
    SYS(close(SYS(open("a-file", O_CREAT | O_WRONLY | O_SYNC, 0666))));
    struct stat about;
    SYS(stat("a-file", &about));
    ASSERT_EQ(about.st_mode & 0777, 0600);
    ASSERT_EQ(system("rm a-file"), 0);
    FAILS(unlink("a-file"), ENOENT);
    return unused;
}

int main(void)
{
    char before[200], now[200];
    open_directory(directory);
    ASSERT(getcwd(before, sizeof before) != NULL);
    umask(0022);
    pthread_t thread = spawn(moves, NULL);
    while (sem_wait(&moved) != 0) {}
    for (int i = 0; i < 3; i++) {
        ASSERT(getcwd(now, sizeof now) != NULL);
        ASSERT_STR(now, before);
        sleep_ms(1);
    }
    ASSERT_EQ(umask(0022), 0022);
    SYS(chdir("/"));
    sem_post(&done);
    join(thread);
    SYS(rmdir(directory));
    return 0;
}
