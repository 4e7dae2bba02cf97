// flockfile makes others wait for a stream, ftrylockfile says so; threads that wait get it in turn.
#include "coop-test.h"

static FILE *stream;
static _Atomic int printed;

static void *printer(void *unused)
{
    (void)unused;
    ASSERT_NE(ftrylockfile(stream), 0);
    fputs("line\n", stream);
    printed++;
    return NULL;
}

int main(void)
{
    pthread_t threads[5];
    stream = tmpfile();
    ASSERT(stream != NULL);
    flockfile(stream);
    for (int i = 0; i < 5; i++) threads[i] = spawn(printer, NULL);
    let_others_block();
    ASSERT_EQ(printed, 0);
    // Main holds it: printing twice over is its own affair.
    flockfile(stream);
    fputs("mine\n", stream);
    funlockfile(stream);
    funlockfile(stream);
    for (int i = 0; i < 5; i++) join(threads[i]);
    ASSERT_EQ(ftell(stream), 6 * 5);
    fclose(stream);
    return 0;
}
