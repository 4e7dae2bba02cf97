// A process shares its table of descriptors with its child before either has threads: each creates some, and closes what it finds.
#include "coop-test.h"

static int told[2], go[2], feeds[2];

static void *reads(void *unused)
{
    char byte;
    ASSERT_EQ(SYS(read(feeds[0], &byte, 1)), 1);
    SYS(usleep(1000));
    return unused;
}

static void close_all(void)
{
    int kept[] = {told[0], told[1], go[0], go[1], feeds[0], feeds[1]};
    for (int fd = 3; fd < 2000; fd++) {
        int is_kept = 0;
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) is_kept |= fd == kept[i];
        if (!is_kept) close(fd);
    }
}

static void use_threads(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = spawn(reads, NULL);
    let_others_block();
    close_all();
    ASSERT_EQ(SYS(write(feeds[1], "abcd", 4)), 4);
    for (int i = 0; i < 4; i++) join(threads[i]);
}

static void run(void)
{
    char byte;
    SYS(pipe(told));
    SYS(pipe(go));
    SYS(pipe(feeds));
    pid_t child = SYS(syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL));
    if (child == 0) {
        use_threads();
        SYS(write(told[1], "x", 1));
        SYS(read(go[0], &byte, 1));
        close_all();
        SYS(write(told[1], "y", 1));
        _exit(0);
    }
    ASSERT_EQ(SYS(read(told[0], &byte, 1)), 1);
    use_threads();
    pthread_t thread = spawn(reads, NULL);
    SYS(write(go[1], "x", 1));
    ASSERT_EQ(SYS(read(told[0], &byte, 1)), 1);
    SYS(write(feeds[1], "z", 1));
    join(thread);
    int status;
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT_EQ(status, 0);
}

// (What the library says is not the program's: that both are left as they are.)
int main(void)
{
    int ends[2], status;
    char said[4096];
    SYS(pipe(ends));
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(dup2(ends[1], 2));
        SYS(close(ends[0]));
        SYS(close(ends[1]));
        run();
        _exit(0);
    }
    SYS(close(ends[1]));
    said[read_all(ends[0], said, sizeof said - 1)] = 0;
    for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
        if (strstr(line, "shares its table of descriptors") == NULL) fprintf(stderr, "%s\n", line);
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT_EQ(status, 0);
    return 0;
}
