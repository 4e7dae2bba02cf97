// Threads wait in getline, fread, fscanf and getc, each on its own stream; what comes in pieces is one line, one block, one number.
#include "coop-test.h"

static FILE *in[4];
static int out[4];

static void *lines(void *unused)
{
    char *line = NULL;
    size_t size = 0;
    ASSERT_EQ(getline(&line, &size, in[0]), 12);
    ASSERT_STR(line, "in two parts");
    free(line);
    return unused;
}

static void *block(void *unused)
{
    char bytes[8];
    ASSERT_EQ(fread(bytes, 2, 4, in[1]), 4);
    ASSERT_MEM(bytes, "12345678", 8);
    ASSERT_EQ(fread(bytes, 4, 2, in[1]), 0);
    ASSERT(feof(in[1]));
    return unused;
}

static void *number(void *unused)
{
    int a, b;
    ASSERT_EQ(fscanf(in[2], "%d and %d", &a, &b), 2);
    ASSERT_EQ(a, 12);
    ASSERT_EQ(b, 345);
    return unused;
}

static void *byte(void *unused)
{
    ASSERT_EQ(getc(in[3]), 'x');
    ASSERT_EQ(ungetc('y', in[3]), 'y');
    ASSERT_EQ(getc(in[3]), 'y');
    ASSERT_EQ(getc(in[3]), EOF);
    return unused;
}

int main(void)
{
    void *(*bodies[4])(void *) = {lines, block, number, byte};
    const char *pieces[3][4] = {{"in two", "123", "12 a", ""}, {" par", "4567", "nd 34", "x"}, {"ts", "8", "5", ""}};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        int ends[2];
        SYS(pipe(ends));
        in[i] = fdopen(ends[0], "r");
        out[i] = ends[1];
        threads[i] = spawn(bodies[i], NULL);
    }
    for (int piece = 0; piece < 3; piece++) {
        sleep_ms(10);
        for (int i = 0; i < 4; i++) write_all(out[i], pieces[piece][i], strlen(pieces[piece][i]));
    }
    for (int i = 0; i < 4; i++) SYS(close(out[i]));
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
