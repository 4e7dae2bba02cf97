// The popen2 of the draft PEP: a child that fills both of its pipes, with one thread that writes and one that reads, both plain and blocking.
#include "coop-test.h"

#define LINES 40000

static FILE *to_child, *from_child;

static void *writer(void *unused)
{
    for (int i = 0; i < LINES; i++) ASSERT_GT(fprintf(to_child, "request %d\n", i), 0);
    ASSERT_EQ(fclose(to_child), 0);
    return unused;
}

static void *reader(void *unused)
{
    char line[64], wanted[64];
    for (int i = 0; i < LINES; i++) {
        ASSERT(fgets(line, sizeof line, from_child) != NULL);
        snprintf(wanted, sizeof wanted, "request %d\n", i);
        ASSERT_STR(line, wanted);
    }
    ASSERT(fgets(line, sizeof line, from_child) == NULL);
    ASSERT(feof(from_child));
    return unused;
}

int main(void)
{
    int in[2], out[2];
    SYS(pipe2(in, O_CLOEXEC));
    SYS(pipe2(out, O_CLOEXEC));
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(dup2(in[0], 0));
        SYS(dup2(out[1], 1));
        execlp("cat", "cat", (char *)NULL);
        _exit(127);
    }
    SYS(close(in[0]));
    SYS(close(out[1]));
    to_child = fdopen(in[1], "w");
    from_child = fdopen(out[0], "r");
    pthread_t one = spawn(writer, NULL), two = spawn(reader, NULL);
    join(one);
    join(two);
    ASSERT_EQ(finish(child), 0);
    return 0;
}
