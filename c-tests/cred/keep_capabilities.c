// PR_SET_KEEPCAPS and setuid: main keeps its capabilities over the change of identity, and can use them afterwards.
#include "cred.h"
#include <linux/capability.h>
#include <sys/prctl.h>

static void *nothing(void *argument)
{
    return argument;
}

int main(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    need_root();
    char path[] = "/tmp/coop-keep-XXXXXX";
    SYS(close(SYS(mkstemp(path))));
    for (int i = 0; i < 3; i++) join(spawn(nothing, NULL));
    SYS(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    ASSERT_EQ(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), 1);
    SYS(setresuid(NOBODY, NOBODY, NOBODY));
    SYS(syscall(SYS_capget, &header, data));
    ASSERT_NE(data[0].permitted, 0);
    ASSERT_EQ(data[0].effective, 0);
    data[0].effective = data[0].permitted;
    SYS(syscall(SYS_capset, &header, data));
    for (int i = 0; i < 10; i++) {
        SYS(chown(path, i, i));
        sleep_ms(1);
    }
    SYS(unlink(path));
    return 0;
}
