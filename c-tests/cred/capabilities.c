// Capabilities dropped by main are gone for main, whichever CPU it runs on, and for what it has done elsewhere; capget says so.
#include "cred.h"
#include <linux/capability.h>

static struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};

static void *passes_time(void *unused)
{
    (void)unused;
    for (int i = 0; i < 100; i++) sched_yield();
    return NULL;
}

int main(void)
{
    struct __user_cap_data_struct data[2];
    char path[] = "/tmp/coop-cap-XXXXXX";
    need_root();
    SYS(close(SYS(mkstemp(path))));
    SYS(chown(path, NOBODY, NOBODY));
    SYS(chmod(path, 0600));
    for (int i = 0; i < 4; i++) spawn(passes_time, NULL);
    memset(data, 0, sizeof data);
    SYS(syscall(SYS_capset, &header, data));
    for (int i = 0; i < 20; i++) {
        FAILS(open(path, O_RDONLY), EACCES);
        FAILS(truncate(path, 0), EACCES);
        FAILS(chown(path, 0, 0), EPERM);
        memset(data, 0xff, sizeof data);
        header.pid = i % 2 ? my_tid() : 0;
        SYS(syscall(SYS_capget, &header, data));
        ASSERT_EQ(data[0].effective, 0);
        ASSERT_EQ(data[0].permitted, 0);
        sleep_ms(1);
    }
    header.pid = 0;
    data[0].permitted = data[0].effective = 1;
    FAILS(syscall(SYS_capset, &header, data), EPERM);
    // The directory is root's.
    SYS(unlink(path));
    return 0;
}
