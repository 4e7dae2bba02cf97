// Keys that a thread adds to its own, its process's and its session's keyring are there for it, with a possessor's rights, and for the threads that
// it makes afterwards; a thread keyring is nobody else's.
#include "coop-test.h"
#include <linux/keyctl.h>

static long key(const char *name, int keyring)
{
    return SYS(syscall(SYS_add_key, "user", name, name, strlen(name), keyring));
}

static long find(const char *name, int keyring)
{
    return syscall(SYS_keyctl, KEYCTL_SEARCH, keyring, "user", name, 0);
}

static long session;

static void *later(void *process_key)
{
    char read[16] = "";
    ASSERT_EQ(find("of the process", KEY_SPEC_PROCESS_KEYRING), (long)process_key);
    ASSERT_EQ(SYS(syscall(SYS_keyctl, KEYCTL_READ, process_key, read, sizeof read)), 14);
    ASSERT_EQ(memcmp(read, "of the process", 14), 0);
    ASSERT_EQ(SYS(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0)), session);
    FAILS(find("of the thread", KEY_SPEC_THREAD_KEYRING), ENOKEY);
    return NULL;
}

static void *has_keys(void *unused)
{
    session = SYS(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
    long of_thread = key("of the thread", KEY_SPEC_THREAD_KEYRING);
    long of_process = key("of the process", KEY_SPEC_PROCESS_KEYRING);
    long of_session = key("of the session", KEY_SPEC_SESSION_KEYRING);
    for (int i = 0; i < 20; i++) {
        sleep_ms(1);
        ASSERT_EQ(find("of the thread", KEY_SPEC_THREAD_KEYRING), of_thread);
        ASSERT_EQ(find("of the process", KEY_SPEC_PROCESS_KEYRING), of_process);
        ASSERT_EQ(find("of the session", KEY_SPEC_SESSION_KEYRING), of_session);
        ASSERT_EQ(SYS(syscall(SYS_request_key, "user", "of the session", NULL, 0)), of_session);
        // A possessor's right, which the owner alone does not have.
        SYS(syscall(SYS_keyctl, KEYCTL_UPDATE, of_thread, "new", 3));
        SYS(syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, of_process, 100));
    }
    join(spawn(later, (void *)of_process));
    return unused;
}

static void *has_none(void *unused)
{
    FAILS(find("of the thread", KEY_SPEC_THREAD_KEYRING), ENOKEY);
    return unused;
}

int main(void)
{
    if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 1) == -1) SKIP("no keyrings here");
    join(spawn(has_keys, NULL));
    join(spawn(has_none, NULL));
    return 0;
}
