// setuid in one thread while another waits for its vfork child: the child keeps its rights, the process gets the new ones.
#include "cred.h"

static int feed[2];
static volatile int blocked, first_uid = -1, second_uid = -1;

static void *parent(void *unused)
{
    (void)unused;
    pid_t child = vfork();
    if (child == 0) {
        char byte;
        blocked = 1;
        if (read(feed[0], &byte, 1) != 1) _exit(1);
        first_uid = (int)getuid();
        _exit(0);
    }
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(getuid(), NOBODY);
    child = vfork();
    if (child == 0) {
        second_uid = (int)getuid();
        _exit(0);
    }
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(second_uid, NOBODY);
    return NULL;
}

static void *feeds(void *unused)
{
    (void)unused;
    sleep_ms(30);
    write_all(feed[1], "x", 1);
    return NULL;
}

int main(void)
{
    need_root();
    SYS(pipe(feed));
    pthread_t thread = spawn(parent, NULL);
    UNTIL(blocked);
    pthread_t feeder = spawn(feeds, NULL);
    SYS(setresuid(NOBODY, NOBODY, NOBODY));
    ASSERT_EQ(first_uid, 0);
    join(feeder);
    join(thread);
    all_threads_have("Uid", NOBODY);
    return 0;
}
