// pthread_atfork handlers run around a thread's fork: prepare last first, parent and child first first; none for vfork.
#include "coop-test.h"

static char order[16];

static void note(char c)
{
    order[strlen(order)] = c;
    sleep_ms(1);
}

static void prepare_1(void) { note('a'); }
static void parent_1(void) { note('b'); }
static void child_1(void) { note('c'); }
static void prepare_2(void) { note('A'); }
static void parent_2(void) { note('B'); }
static void child_2(void) { note('C'); }

static void *forker(void *unused)
{
    (void)unused;
    pid_t child = SYS(fork());
    if (child == 0) {
        ASSERT_STR(order, "AacC");
        _exit(0);
    }
    ASSERT_STR(order, "AabB");
    ASSERT_EQ(finish(child), 0);
    return NULL;
}

int main(void)
{
    OK(pthread_atfork(prepare_1, parent_1, child_1));
    OK(pthread_atfork(prepare_2, parent_2, child_2));
    join(spawn(forker, NULL));
    memset(order, 0, sizeof order);
    forker(NULL);
    memset(order, 0, sizeof order);
    pid_t child = vfork();
    if (child == 0) _exit(0);
    ASSERT_GT(child, 0);
    ASSERT_EQ(finish(child), 0);
    ASSERT_STR(order, "");
    return 0;
}
