// A thread cancelled while it reads a line lets go of the stream: others use it afterwards.
#include "coop-test.h"

static FILE *stream;
static _Atomic int begun;

static void *body(void *unused)
{
    char line[100];
    begun++;
    fgets(line, sizeof line, stream);
    FAIL("not cancelled");
    return unused;
}

int main(void)
{
    int ends[2];
    char line[100];
    SYS(pipe(ends));
    stream = fdopen(ends[0], "r");
    ASSERT(stream != NULL);
    for (int i = 1; i <= 3; i++) {
        pthread_t thread = spawn(body, NULL);
        UNTIL(begun == i);
        let_others_block();
        OK(pthread_cancel(thread));
        ASSERT_PTR(join(thread), PTHREAD_CANCELED);
    }
    SYS(write(ends[1], "whole\n", 6));
    ASSERT(fgets(line, sizeof line, stream) != NULL);
    ASSERT_STR(line, "whole\n");
    return 0;
}
