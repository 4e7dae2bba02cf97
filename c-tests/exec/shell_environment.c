// The shells of system, popen and wordexp get the library's variables though the program has rebuilt its environment, which stays as it is.
#include "coop-test.h"
#include <wordexp.h>

static char expected[4096];
static char *rebuilt[] = {"MINE=1", "PATH=/usr/bin:/bin", NULL, NULL};

static void *starts(void *unused)
{
    char line[64], command[4200];
    snprintf(command, sizeof command, "test \"$LD_PRELOAD\" = '%s' && test \"$MINE\" = 1", expected);
    environ = rebuilt;
    ASSERT_EQ(system(command), 0);
    ASSERT_EQ(system("exit 3"), 3 << 8);
    ASSERT_EQ(system(NULL), 1);

    strcat(command, " && echo right");
    FILE *pipe = popen(command, "r");
    ASSERT(pipe != NULL);
    ASSERT(fgets(line, sizeof line, pipe) != NULL);
    ASSERT_EQ(strcmp(line, "right\n"), 0);
    ASSERT_EQ(pclose(pipe), 0);
    ASSERT(popen(command, "x") == NULL);
    ASSERT_EQ(errno, EINVAL);

    wordexp_t words;
    char text[4300];
    snprintf(text, sizeof text, "one $(%s) $MINE", command);
    ASSERT_EQ(wordexp(text, &words, 0), 0);
    ASSERT_EQ(words.we_wordc, 3);
    ASSERT_EQ(strcmp(words.we_wordv[1], "right"), 0);
    ASSERT_EQ(strcmp(words.we_wordv[2], "1"), 0);
    wordfree(&words);
    ASSERT_EQ(wordexp("$(echo no)", &words, WRDE_NOCMD), WRDE_CMDSUB);

    ASSERT(environ == rebuilt);
    ASSERT(getenv("LD_PRELOAD") == NULL);
    // An empty one, and none at all.
    static char *empty[] = {NULL};
    char shorter[4200];
    snprintf(shorter, sizeof shorter, "test \"$LD_PRELOAD\" = '%s'", expected);
    environ = empty;
    ASSERT_EQ(system(shorter), 0);
    ASSERT(environ == empty);
    return unused;
}

static void in_child(void)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        starts(NULL);
        _exit(7);
    }
    ASSERT_EQ(finish(child), 7);
}

int main(void)
{
    const char *preload = getenv("LD_PRELOAD");
    snprintf(expected, sizeof expected, "%s", preload ? preload : "");
    starts(NULL);
    in_child();
    join(spawn(starts, NULL));
    starts(NULL);
    in_child();
    return 0;
}
