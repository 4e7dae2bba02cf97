// A child, forked or exec'ed without the library, finds the flags the program set, though threads waited on them.
#include "coop-test.h"

static int ends[2], pair[2];

static void *reader(void *fd)
{
    char byte;
    ASSERT_EQ(SYS(read(*(int *)fd, &byte, 1)), 1);
    return NULL;
}

static void flags_are_the_programs(int pipe_fd, int socket_fd)
{
    ASSERT_EQ(fcntl(pipe_fd, F_GETFL), O_RDONLY);
    ASSERT_EQ(fcntl(socket_fd, F_GETFL), O_RDWR);
}

int main(int count, char **arguments)
{
    if (count == 3) {
        flags_are_the_programs(atoi(arguments[1]), atoi(arguments[2]));
        return 0;
    }
    SYS(pipe(ends));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pthread_t one = spawn(reader, &ends[0]), two = spawn(reader, &pair[0]);
    let_others_block();
    for (int native = 0; native < 2; native++) {
        pid_t child = SYS(fork());
        if (child == 0) {
            flags_are_the_programs(ends[0], pair[0]);
            if (native) {
                char first[16], second[16];
                snprintf(first, sizeof first, "%d", ends[0]);
                snprintf(second, sizeof second, "%d", pair[0]);
                char *child_arguments[] = {arguments[0], first, second, NULL};
                unsetenv("LD_PRELOAD");
                SYS(execv("/proc/self/exe", child_arguments));
            }
            _exit(0);
        }
        ASSERT_EQ(finish(child), 0);
    }
    SYS(write(ends[1], "x", 1));
    SYS(write(pair[1], "x", 1));
    join(one);
    join(two);
    return 0;
}
