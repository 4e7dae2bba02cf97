// What takes its arguments one by one gets the library's variables to the new program, too, and all of its arguments as they were.
#include "coop-test.h"

static char *expected;
static char *environment[] = {"MINE=1", NULL};
static char script[] = "test \"$LD_PRELOAD\" = \"$0\" && test \"$MINE\" = 1 && test \"$*\" = \"$ALL\"";

static void exec_with(int which)
{
    static char *mine[] = {"MINE=1", "ALL=one two three four five six seven", NULL};
    static char *few[] = {"MINE=1", "ALL=", NULL};
    environ = which < 4 ? mine : few;
    switch (which) {
    case 0: execl("/bin/sh", "sh", "-c", script, expected, "one", "two", "three", "four", "five", "six", "seven", NULL); break;
    case 1: execlp("sh", "sh", "-c", script, expected, "one", "two", "three", "four", "five", "six", "seven", NULL); break;
    case 2: execle("/bin/sh", "sh", "-c", script, expected, "one", "two", "three", "four", "five", "six", "seven", NULL, mine); break;
    case 3: execle("/bin/sh", "sh", "-c", "test -z \"$MINE$1\" && test \"$LD_PRELOAD\" = \"$0\"", expected, NULL, (char *[]){NULL}); break;
    case 4: execl("/bin/sh", "sh", "-c", script, expected, NULL); break;
    case 5: execle("/bin/sh", "sh", "-c", script, expected, NULL, few); break;
    }
    _exit(99);
}

static void *starts(void *unused)
{
    (void)unused;
    for (int which = 0; which < 6; which++) {
        pid_t child = SYS(fork());
        if (child == 0) exec_with(which);
        ASSERT_EQ(finish(child), 0);
        child = vfork();
        if (child == 0) {
            // Its caller's environ is the parent's, too.
            execle("/bin/sh", "sh", "-c", script, expected, NULL, environment);
            _exit(99);
        }
        ASSERT_EQ(finish(child), 0);
    }
    return NULL;
}

static void *fails(void *unused)
{
    char *before = getenv("PATH");
    FAILS(execl("/nowhere/at/all", "a", "b", "c", "d", "e", "f", "g", NULL), ENOENT);
    FAILS(execlp("nowhere-at-all", "a", NULL), ENOENT);
    FAILS(execle("/nowhere/at/all", "a", "b", "c", "d", NULL, environment), ENOENT);
    ASSERT_EQ(getenv("PATH"), before);
    return unused;
}

int main(void)
{
    expected = getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "";
    starts(NULL);
    fails(NULL);
    join(spawn(starts, NULL));
    join(spawn(fails, NULL));
    starts(NULL);
    return 0;
}
