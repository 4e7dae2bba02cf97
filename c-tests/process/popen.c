// popen from threads, to read from and to write to; pclose gives the status.
#include "coop-test.h"

static void *reader(void *argument)
{
    char command[64], line[64], wanted[64];
    snprintf(command, sizeof command, "sleep 0.02; echo one; echo %d; exit 6", (int)(intptr_t)argument);
    snprintf(wanted, sizeof wanted, "%d\n", (int)(intptr_t)argument);
    FILE *pipe = popen(command, "r");
    ASSERT(pipe != NULL);
    ASSERT(fgets(line, sizeof line, pipe));
    ASSERT_STR(line, "one\n");
    ASSERT(fgets(line, sizeof line, pipe));
    ASSERT_STR(line, wanted);
    ASSERT(!fgets(line, sizeof line, pipe));
    ASSERT_EQ(WEXITSTATUS(SYS(pclose(pipe))), 6);
    return NULL;
}

static void *writer(void *argument)
{
    char command[64];
    snprintf(command, sizeof command, "read a; read b; exit $((a + b + %d))", (int)(intptr_t)argument);
    FILE *pipe = popen(command, "w");
    ASSERT(pipe != NULL);
    fprintf(pipe, "10\n");
    fflush(pipe);
    sleep_ms(5);
    fprintf(pipe, "20\n");
    ASSERT_EQ(WEXITSTATUS(SYS(pclose(pipe))), 30 + (intptr_t)argument);
    return NULL;
}

int main(void)
{
    pthread_t readers[5], writers[5];
    for (intptr_t i = 0; i < 5; i++) {
        readers[i] = spawn(reader, (void *)i);
        writers[i] = spawn(writer, (void *)i);
    }
    for (int i = 0; i < 5; i++) {
        join(readers[i]);
        join(writers[i]);
    }
    return 0;
}
