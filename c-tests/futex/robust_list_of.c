// get_robust_list of another thread of the process gives its list, and set_robust_list checks its size.
#include "coop-test.h"

static struct robust_list_head own;
static sem_t ready, done;
static _Atomic pid_t id;

static void *other(void *unused)
{
    FAILS(syscall(SYS_set_robust_list, &own, sizeof own - 1), EINVAL);
    void *libcs;
    size_t size = 0;
    SYS(syscall(SYS_get_robust_list, 0, &libcs, &size));
    own.list.next = &own.list;
    SYS(syscall(SYS_set_robust_list, &own, sizeof own));
    id = my_tid();
    SYS(sem_post(&ready));
    SYS(sem_wait(&done));
    SYS(syscall(SYS_set_robust_list, libcs, size));
    return unused;
}

int main(void)
{
    SYS(sem_init(&ready, 0, 0));
    SYS(sem_init(&done, 0, 0));
    pthread_t thread = spawn(other, NULL);
    SYS(sem_wait(&ready));
    struct robust_list_head *head = NULL;
    size_t size = 0;
    SYS(syscall(SYS_get_robust_list, id, &head, &size));
    ASSERT_PTR(head, &own);
    ASSERT_EQ(size, sizeof own);
    SYS(sem_post(&done));
    join(thread);
    return 0;
}
