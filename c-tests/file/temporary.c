// Temporary files: O_TMPFILE, mkstemp, tmpfile and unlinked files stay readable, from as many threads as there are.
#include "coop-test.h"

static void *body(void *unused)
{
    (void)unused;
    char name[] = "tmp-XXXXXX", got[6] = "";
    int fd = SYS(mkstemp(name));
    write_all(fd, "still", 5);
    SYS(unlink(name));
    ASSERT_EQ(SYS(pread(fd, got, 6, 0)), 5);
    ASSERT_STR(got, "still");
    SYS(close(fd));
    fd = open(".", O_TMPFILE | O_RDWR, 0600);
    if (fd == -1) {
        ASSERT(errno == EOPNOTSUPP || errno == EISDIR);
    } else {
        write_all(fd, "there", 5);
        ASSERT_EQ(SYS(pread(fd, got, 6, 0)), 5);
        ASSERT_STR(got, "there");
        SYS(close(fd));
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[30];
    for (int i = 0; i < 30; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 30; i++) join(threads[i]);
    return 0;
}
