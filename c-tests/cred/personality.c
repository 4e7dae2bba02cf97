// personality set by a thread is what it is told, and what the programs that it starts have.
#include "coop-test.h"
#include <sys/personality.h>

static void *sets(void *unused)
{
    (void)unused;
    int before = SYS(personality(0xffffffff));
    ASSERT_EQ(personality(before | ADDR_NO_RANDOMIZE), before);
    ASSERT_EQ(personality(0xffffffff), before | ADDR_NO_RANDOMIZE);
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(system("test $((0x$(cat /proc/self/personality) & 0x40000)) != 0"), 0);
        ASSERT_EQ(personality(0xffffffff), before | ADDR_NO_RANDOMIZE);
    }
    return NULL;
}

int main(void)
{
    join(spawn(sets, NULL));
    return 0;
}
