// alarm(2) and ualarm(3) from any thread: what was left of the one before is told, 0 ends it, and the signal comes once.
#include "coop-test.h"

static _Atomic int alarms;

static void handler(int number)
{
    (void)number;
    alarms++;
}

static void *body(void *unused)
{
    ASSERT_EQ(alarm(100), 0);
    ASSERT_GE(alarm(0), 99);
    ASSERT_EQ(alarm(0), 0);
    int before = alarms;
    ualarm(2000, 0);
    UNTIL(alarms > before);
    return unused;
}

int main(void)
{
    on_signal(SIGALRM, handler, SA_RESTART);
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
