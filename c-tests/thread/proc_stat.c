// /proc/self/task/ID/stat tells of each thread: its id, name and state, what CPU time it has used, what it blocks.
#include "coop-test.h"
#include <sys/prctl.h>

enum { FIELDS = 52 };
typedef struct {
    int id;
    char name[20], state;
    unsigned long long field[FIELDS + 1];
} Stat;

static pid_t blocked_id;
static int feed[2];
static sem_t ready;

static Stat stat_of(pid_t id)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", id);
    int fd = SYS(open(path, O_RDONLY));
    ssize_t size = SYS(read(fd, text, sizeof text - 1));
    SYS(close(fd));
    text[size] = 0;
    ASSERT_EQ(text[size - 1], '\n');
    Stat stat = {0};
    ASSERT_EQ(sscanf(text, "%d (%19[^)])", &stat.id, stat.name), 2);
    // In the name there can be anything.
    char *at = strrchr(text, ')');
    stat.state = at[2];
    at += 3;
    for (int field = 4; field <= FIELDS; field++) stat.field[field] = (unsigned long long)strtoll(at, &at, 10);
    ASSERT_EQ(*at, '\n');
    ASSERT_EQ(stat.id, id);
    ASSERT_EQ(stat.field[4], getppid());
    return stat;
}

static void *blocks(void *unused)
{
    char byte;
    sigset_t set = signal_set(SIGUSR2);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    SYS(prctl(PR_SET_NAME, "blocks (here)"));
    blocked_id = my_tid();
    sem_post(&ready);
    ASSERT_EQ(SYS(read(feed[0], &byte, 1)), 1);
    return unused;
}

static void *computes(void *unused)
{
    // Told in hundredths of a second.
    volatile unsigned work = 0;
    Stat now = stat_of(my_tid());
    ASSERT_EQ(now.state, 'R');
    ASSERT_LT(now.field[14] + now.field[15], 10);
    ASSERT_EQ(now.field[20], 3);
    while (now.field[14] + now.field[15] < 10) {
        for (int i = 0; i < 1000000; i++) work++;
        now = stat_of(my_tid());
    }
    Stat other = stat_of(blocked_id);
    ASSERT_LT(other.field[14] + other.field[15], 10);
    return unused;
}

static void handler(int signal)
{
    (void)signal;
}

int main(void)
{
    SYS(pipe(feed));
    sem_init(&ready, 0, 0);
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGALRM, SIG_IGN, 0);
    pthread_t other = spawn(blocks, NULL);
    sem_wait(&ready);
    UNTIL(stat_of(blocked_id).state == 'S');
    Stat stat = stat_of(blocked_id);
    ASSERT_EQ(strcmp(stat.name, "blocks (here"), 0);
    ASSERT_EQ(stat.field[32] >> (SIGUSR2 - 1) & 1, 1);
    ASSERT_EQ(stat.field[33] >> (SIGALRM - 1) & 1, 1);
    ASSERT_EQ(stat.field[34] >> (SIGUSR1 - 1) & 1, 1);
    OK(pthread_kill(other, SIGUSR2));
    stat = stat_of(blocked_id);
    ASSERT_EQ(stat.field[31] >> (SIGUSR2 - 1) & 1, 1);
    join(spawn(computes, NULL));
    ASSERT_EQ(stat_of(getpid()).state, 'R');
    write_all(feed[1], "x", 1);
    join(other);
    FAILS(open("/proc/self/task/999999999/stat", O_RDONLY), ENOENT);
    return 0;
}
