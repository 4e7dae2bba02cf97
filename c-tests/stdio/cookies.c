// A stream of the program's own (fopencookie) may wait inside its read function; the threads of other streams go on.
#include "coop-test.h"

static _Atomic int asked;
static int ends[2];

static ssize_t slow_read(void *cookie, char *bytes, size_t size)
{
    ASSERT_PTR(cookie, &asked);
    asked++;
    return read(ends[0], bytes, size < 3 ? size : 3);
}

static void *reader(void *unused)
{
    cookie_io_functions_t functions = {.read = slow_read};
    FILE *stream = fopencookie(&asked, "r", functions);
    char line[32];
    ASSERT(fgets(line, sizeof line, stream) != NULL);
    ASSERT_STR(line, "through a cookie\n");
    fclose(stream);
    return unused;
}

int main(void)
{
    SYS(pipe(ends));
    pthread_t thread = spawn(reader, NULL);
    UNTIL(asked == 1);
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    fprintf(memory, "%s", "through a cookie\n");
    fclose(memory);
    write_all(ends[1], text, size);
    free(text);
    join(thread);
    ASSERT_GE(asked, 6);
    return 0;
}
