// A process with robust mutexes and threads has no child that it did not make, and when it has ended, whichever way, nothing of it is left
// that has its command line.
#include "shared.h"

static char line[64];

// How many processes have that command line.
static int count(void)
{
    int found = 0;
    DIR *all = opendir("/proc");
    ASSERT(all);
    for (struct dirent *entry; (entry = readdir(all));) {
        char path[300], text[256] = "";
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0) continue;
        ssize_t length = read(file, text, sizeof text - 1);
        close(file);
        size_t name = strlen(text) + 1;
        if (length > (ssize_t)name && !strcmp(text + name, line)) found++;
    }
    closedir(all);
    return found;
}

static void *take(void *mutex)
{
    OK(pthread_mutex_lock(mutex));
    return NULL;
}

// The program that is looked for.
static int subject(const char *how, int out)
{
    pthread_mutex_t *mutex = shared_memory(sizeof *mutex);
    shared_mutex(mutex, 1);
    join(spawn(take, mutex));
    GIVES(pthread_mutex_lock(mutex), EOWNERDEAD);
    FAILS(wait(NULL), ECHILD);
    FAILS(waitpid(-1, NULL, __WALL | WNOHANG), ECHILD);
    write_all(out, "x", 1);
    if (!strcmp(how, "exit")) exit(0);
    if (!strcmp(how, "abort")) abort();
    for (;;) pause();
}

static int end_of(const char *own_name, const char *how)
{
    int told[2];
    char byte, out[16];
    SYS(pipe(told));
    snprintf(line, sizeof line, "subject-%d-%s", getpid(), how);
    snprintf(out, sizeof out, "%d", told[1]);
    pid_t pid = SYS(fork());
    if (pid == 0) {
        execl(own_name, own_name, line, how, out, NULL);
        FAIL("no %s", own_name);
    }
    SYS(close(told[1]));
    ASSERT_EQ(read_all(told[0], &byte, 1), 1);
    // Only the process has the other end.
    if (!strcmp(how, "close")) {
        SYS(kill(pid, SIGTERM));
        ASSERT_EQ(read(told[0], &byte, 1), 0);
    }
    if (!strcmp(how, "kill")) {
        ASSERT(count() >= 1);
        SYS(kill(pid, SIGKILL));
    }
    int status = finish(pid);
    UNTIL(count() == 0);
    SYS(close(told[0]));
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 4) return subject(argv[2], atoi(argv[3]));
    have_threads();
    const char *own_name = "/proc/self/exe";
    char path[4096] = "";
    SYS(readlink(own_name, path, sizeof path - 1));
    ASSERT_EQ(end_of(path, "exit"), 0);
    ASSERT_EQ(end_of(path, "abort"), 128 + SIGABRT);
    ASSERT_EQ(end_of(path, "close"), 128 + SIGTERM);
    ASSERT_EQ(end_of(path, "kill"), 128 + SIGKILL);
    return 0;
}
