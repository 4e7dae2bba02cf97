// Unbuffered and line-buffered streams write when they should, from many threads, and errors stay with the stream that had them.
#include "coop-test.h"

static FILE *plain, *lined;

static void *body(void *unused)
{
    for (int i = 0; i < 20; i++) {
        ASSERT_EQ(fputs("unbuffered\n", plain) >= 0, 1);
        ASSERT_GE(fputs("lined\n", lined), 0);
    }
    return unused;
}

int main(void)
{
    pthread_t threads[10];
    plain = fopen("plain", "w+");
    lined = fopen("lined", "w+");
    setvbuf(plain, NULL, _IONBF, 0);
    setvbuf(lined, NULL, _IOLBF, 100);
    for (int i = 0; i < 10; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 10; i++) join(threads[i]);
    struct stat st;
    SYS(stat("plain", &st));
    ASSERT_EQ(st.st_size, 200 * 11);
    SYS(stat("lined", &st));
    ASSERT_EQ(st.st_size, 200 * 6);
    FILE *broken = fopen("/dev/full", "w");
    fputs("lost", broken);
    ASSERT_EQ(fflush(broken), EOF);
    ASSERT_EQ(errno, ENOSPC);
    ASSERT(ferror(broken) && !ferror(plain));
    fclose(broken);
    return 0;
}
