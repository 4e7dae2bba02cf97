// sched_setattr and sched_getattr: policy, nice and flags together, reset on fork, and what is refused.
#include "coop-test.h"
#include <sys/resource.h>

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t times[3];
};

static void *child(void *unused)
{
    // What was reset is as for a fresh thread; a lower nice value than 0 would be, too.
    ASSERT_EQ(sched_getscheduler(0), SCHED_BATCH);
    return unused;
}

static void *body(void *unused)
{
    struct attributes set = {.size = sizeof set, .policy = SCHED_BATCH, .flags = 1, .nice = 7}, got;
    SYS(syscall(SYS_sched_setattr, 0, &set, 0));
    SYS(syscall(SYS_sched_getattr, 0, &got, sizeof got, 0));
    ASSERT_EQ(got.policy, SCHED_BATCH);
    ASSERT_EQ(got.nice, 7);
    ASSERT_EQ(got.flags & 1, 1);
    ASSERT_EQ(got.priority, 0);
    ASSERT_EQ(sched_getscheduler(0), SCHED_BATCH | SCHED_RESET_ON_FORK);
    ASSERT_EQ(getpriority(PRIO_PROCESS, 0), 7);
    join(spawn(child, NULL));
    FAILS(syscall(SYS_sched_setattr, 0, &set, 1), EINVAL);
    FAILS(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL);
    FAILS(syscall(SYS_sched_getattr, 0, &got, 8, 0), EINVAL);
    set.policy = 99;
    FAILS(syscall(SYS_sched_setattr, 0, &set, 0), EINVAL);
    return unused;
}

int main(void)
{
    join(spawn(body, NULL));
    ASSERT_EQ(sched_getscheduler(0), SCHED_OTHER);
    return 0;
}
