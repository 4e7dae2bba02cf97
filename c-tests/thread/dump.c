// With COOP_DUMP_SIGNAL=USR2 that signal writes all threads, by name, to COOP_LOG_FILE; the program notices nothing.
// only: preloaded
// env: COOP_DUMP_SIGNAL=USR2
// env: COOP_LOG_FILE=dump
#include "coop-test.h"

static int ends[2];
static sem_t named;

static void *body(void *name)
{
    char byte;
    OK(pthread_setname_np(pthread_self(), name));
    SYS(sem_post(&named));
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return NULL;
}

static int dump_shows(const char *name)
{
    static char text[1 << 16];
    int fd = open("dump", O_RDONLY);
    if (fd == -1) return 0;
    text[read_all(fd, text, sizeof text - 1)] = 0;
    SYS(close(fd));
    return strstr(text, name) != NULL;
}

int main(void)
{
    pid_t parent = getpid();
    SYS(sem_init(&named, 0, 0));
    SYS(pipe(ends));
    pthread_t one = spawn(body, (void *)"first-reader"), two = spawn(body, (void *)"other-reader");
    SYS(sem_wait(&named));
    SYS(sem_wait(&named));
    let_others_block();
    // From outside, as a user would send it, while this thread lets signals in over and over: it must not get one of these.
    pid_t child = SYS(fork());
    if (child == 0) {
        for (int i = 0; i < 100; i++) SYS(kill(parent, SIGUSR2));
        _exit(0);
    }
    sigset_t all, old;
    sigfillset(&all);
    while (SYS(waitpid(child, NULL, WNOHANG)) == 0) {
        OK(pthread_sigmask(SIG_SETMASK, &all, &old));
        OK(pthread_sigmask(SIG_SETMASK, &old, NULL));
    }
    UNTIL(dump_shows("first-reader") && dump_shows("other-reader"));
    SYS(write(ends[1], "xx", 2));
    join(one);
    join(two);
    return 0;
}
