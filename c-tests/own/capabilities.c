// Capabilities, and the bounding set, that a thread gives up are given up by it alone and by the threads that it makes.
#include "own.h"
#include <linux/capability.h>

static char path[] = "/tmp/coop-own-XXXXXX";
static sem_t dropped, done;

static void *has_none(void *unused)
{
    FAILS(chown(path, 7, 7), EPERM);
    ASSERT_EQ(prctl(PR_CAPBSET_READ, CAP_SYS_CHROOT, 0, 0, 0), 0);
    return unused;
}

static void *drops(void *unused)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, my_tid()};
    struct __user_cap_data_struct data[2] = {0};
    SYS(prctl(PR_CAPBSET_DROP, CAP_SYS_CHROOT, 0, 0, 0));
    SYS(syscall(SYS_capset, &header, data));
    has_none(NULL);
    sem_post(&dropped);
    while (sem_wait(&done) != 0) {}
    has_none(NULL);
    join(spawn(has_none, NULL));
    return unused;
}

int main(void)
{
    need_root();
    if (prctl(PR_CAPBSET_READ, CAP_SYS_CHROOT, 0, 0, 0) != 1) SKIP("has no CAP_SYS_CHROOT to give up");
    SYS(close(SYS(mkstemp(path))));
    pthread_t thread = spawn(drops, NULL);
    while (sem_wait(&dropped) != 0) {}
    for (int i = 0; i < 5; i++) {
        SYS(chown(path, i, i));
        sleep_ms(1);
    }
    ASSERT_EQ(prctl(PR_CAPBSET_READ, CAP_SYS_CHROOT, 0, 0, 0), 1);
    sem_post(&done);
    join(thread);
    SYS(unlink(path));
    return 0;
}
