// What a thread has of its own its children have: by fork, vfork, posix_spawn, system and popen; and the program that it becomes.
#include "own.h"
#include <spawn.h>

extern char **environ;

static void *starts(void *argument)
{
    int me = 3000 + (int)(intptr_t)argument, status;
    char test[200], line[100], wanted[100];
    SYS(syscall(SYS_setresgid, me, me, me));
    SYS(syscall(SYS_setresuid, me, me, me));
    snprintf(test, sizeof test, "test $(id -u) = %d -a $(id -g) = %d", me, me);
    snprintf(wanted, sizeof wanted, "%d\n", me);
    char *arguments[] = {"sh", "-c", test, NULL};
    for (int i = 0; i < 5; i++) {
        pid_t child = SYS(fork());
        if (child == 0) _exit((int)getuid() != me);
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_EQ(status, 0);
        ASSERT_EQ(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ), 0);
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_EQ(status, 0);
        child = SYS(vfork());
        if (child == 0) {
            execv("/bin/sh", arguments);
            _exit(99);
        }
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_EQ(status, 0);
        ASSERT_EQ(system(test), 0);
        FILE *output = popen("id -u", "r");
        ASSERT(output != NULL && fgets(line, sizeof line, output) != NULL);
        ASSERT_STR(line, wanted);
        ASSERT_EQ(pclose(output), 0);
        ASSERT_EQ(posix_spawn(&child, "/nowhere", NULL, NULL, arguments, environ), ENOENT);
        FAILS(execv("/nowhere", arguments), ENOENT);
        ASSERT_EQ((int)geteuid(), me);
    }
    return NULL;
}

static void *becomes(void *unused)
{
    (void)unused;
    char *arguments[] = {"sh", "-c", "test $(id -u) = 4321", NULL};
    SYS(syscall(SYS_setresuid, 4321, 4321, 4321));
    execv("/bin/sh", arguments);
    FAIL("execv");
}

int main(void)
{
    pthread_t threads[3];
    need_root();
    for (int i = 0; i < 3; i++) threads[i] = spawn(starts, (void *)(intptr_t)i);
    for (int i = 0; i < 5; i++) ASSERT_EQ(system("test $(id -u) = 0"), 0);
    for (int i = 0; i < 3; i++) join(threads[i]);
    ASSERT_EQ(geteuid(), 0);
    join(spawn(becomes, NULL));
    return 1;
}
