// A thread in a UTS namespace of its own has a host name of its own; by setns it comes back.
#include "own.h"
#include <sys/utsname.h>

static char before[65];
static sem_t named, done;

static void *renames(void *unused)
{
    struct utsname name;
    int home = SYS(open("/proc/thread-self/ns/uts", O_RDONLY));
    if (unshare(CLONE_NEWUTS) != 0 && errno == EPERM) SKIP("may not make namespaces");
    SYS(sethostname("elsewhere", 9));
    for (int i = 0; i < 3; i++) {
        SYS(uname(&name));
        ASSERT_STR(name.nodename, "elsewhere");
        sleep_ms(1);
    }
    sem_post(&named);
    while (sem_wait(&done) != 0) {}
    ASSERT_EQ(system("test $(uname -n) = elsewhere"), 0);
    SYS(setns(home, CLONE_NEWUTS));
    SYS(uname(&name));
    ASSERT_STR(name.nodename, before);
    SYS(close(home));
    return unused;
}

int main(void)
{
    struct utsname name;
    need_root();
    SYS(uname(&name));
    strcpy(before, name.nodename);
    pthread_t thread = spawn(renames, NULL);
    while (sem_wait(&named) != 0) {}
    for (int i = 0; i < 3; i++) {
        SYS(uname(&name));
        ASSERT_STR(name.nodename, before);
        sleep_ms(1);
    }
    sem_post(&done);
    join(thread);
    return 0;
}
