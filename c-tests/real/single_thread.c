// A program of one thread: prints what it can see of its process, and uses files, a pipe, a child and the clock.
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The names in a directory of /proc/self, the one of the directory's own descriptor included.
static void list(const char *path)
{
    int count = 0, highest = -1;
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (atoi(entry->d_name) > highest)
            highest = atoi(entry->d_name);
    }
    closedir(directory);
    if (strcmp(path, "/proc/self/fd") == 0)
        printf("%s: %d, up to %d\n", path, count, highest);
    else
        printf("%s: %d\n", path, count);
}

// Signals caught, ignored and blocked, system calls filtered, and the number of threads.
static void status(void)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "Sig", 3) || !strncmp(line, "Shd", 3) || !strncmp(line, "Seccomp:", 8) ||
            !strncmp(line, "Threads:", 8))
            fputs(strncmp(line, "SigQ", 4) ? line : "", stdout);
    fclose(file);
}

int main(void)
{
    list("/proc/self/fd");
    list("/proc/self/task");
    status();

    int ends[2];
    char buffer[16];
    if (pipe(ends))
        return 1;
    pid_t child = fork();
    if (child == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        _exit(write(ends[1], "hello", 5) == 5 ? 7 : 8);
    }
    struct pollfd poll_for = {.fd = ends[0], .events = POLLIN};
    int ready = poll(&poll_for, 1, 5000), ended;
    ssize_t got = read(ends[0], buffer, sizeof buffer);
    waitpid(child, &ended, 0);
    printf("poll %d, read %zd, child %d\n", ready, got, WEXITSTATUS(ended));
    fflush(stdout);
    list("/proc/self/fd");
    return 0;
}
