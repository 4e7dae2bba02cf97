// setgroups and initgroups are the process's: every thread sees the list.
#include "cred.h"

static gid_t wanted[5];
static int count;

static void *looks(void *unused)
{
    gid_t got[20];
    (void)unused;
    ASSERT_EQ(SYS(getgroups(20, got)), count);
    for (int i = 0; i < count; i++) ASSERT_EQ(got[i], wanted[i]);
    return NULL;
}

static void set(int number)
{
    count = number;
    for (int i = 0; i < number; i++) wanted[i] = 1000 + i;
    SYS(setgroups(number, wanted));
}

static void *sets(void *argument)
{
    set((int)(intptr_t)argument);
    return NULL;
}

int main(void)
{
    need_root();
    spawn(pause_for_ever, NULL);
    for (int i = 5; i >= 0; i--) {
        if (i % 2)
            set(i);
        else
            join(spawn(sets, (void *)(intptr_t)i));
        looks(NULL);
        for (int j = 0; j < 3; j++) join(spawn(looks, NULL));
    }
    count = 1;
    wanted[0] = 4321;
    SYS(initgroups("no-such-user-here", 4321));
    looks(NULL);
    join(spawn(looks, NULL));
    return 0;
}
