// A thread that waits in fflush of a full pipe holds only that stream; who wants that very stream waits for it, others print.
#include "coop-test.h"

static FILE *full;
static _Atomic int flushed, added, beside;

static void *flusher(void *unused)
{
    static char bytes[200 << 10];
    memset(bytes, 'b', sizeof bytes);
    ASSERT_EQ(fwrite(bytes, 1, sizeof bytes, full), sizeof bytes);
    ASSERT_EQ(fflush(full), 0);
    flushed = 1;
    return unused;
}

static void *adder(void *unused)
{
    ASSERT_GE(fputs("tail", full), 0);
    added = 1;
    return unused;
}

static void *other(void *unused)
{
    FILE *scratch = tmpfile();
    fprintf(scratch, "beside %d\n", 1);
    ASSERT_EQ(fflush(scratch), 0);
    fclose(scratch);
    beside++;
    return unused;
}

int main(void)
{
    int ends[2];
    SYS(pipe(ends));
    full = fdopen(ends[1], "w");
    pthread_t one = spawn(flusher, NULL);
    let_others_block();
    pthread_t two = spawn(adder, NULL);
    let_others_block();
    join(spawn(other, NULL));
    ASSERT_EQ(beside, 1);
    ASSERT_EQ(flushed, 0);
    ASSERT_EQ(added, 0);
    ASSERT_NE(ftrylockfile(full), 0);
    size_t total = 0;
    char bytes[8192];
    while (total < 200 << 10) {
        ssize_t got = SYS(read(ends[0], bytes, sizeof bytes));
        for (ssize_t i = 0; i < got; i++) ASSERT_EQ(bytes[i], 'b');
        total += (size_t)got;
    }
    join(one);
    join(two);
    ASSERT_EQ(fclose(full), 0);
    ASSERT_EQ(read_all(ends[0], bytes, 10), 4);
    ASSERT_MEM(bytes, "tail", 4);
    return 0;
}
