// popen for reading and for writing from threads at the same time: contents and statuses are each one's own.
#include "coop-test.h"

static void *reads(void *argument)
{
    char command[60], line[60], wanted[60];
    snprintf(command, sizeof command, "echo one %d; echo two; exit 3", (int)(intptr_t)argument);
    snprintf(wanted, sizeof wanted, "one %d\n", (int)(intptr_t)argument);
    FILE *from = popen(command, "r");
    ASSERT(from != NULL);
    ASSERT(fgets(line, sizeof line, from) != NULL);
    ASSERT_STR(line, wanted);
    ASSERT(fgets(line, sizeof line, from) != NULL);
    ASSERT_STR(line, "two\n");
    ASSERT(fgets(line, sizeof line, from) == NULL);
    int status = pclose(from);
    ASSERT_EQ(WEXITSTATUS(status), 3);
    return NULL;
}

static void *writes(void *argument)
{
    char command[80];
    snprintf(command, sizeof command, "read word; test \"$word\" = word%d", (int)(intptr_t)argument);
    FILE *to = popen(command, "we");
    ASSERT(to != NULL);
    ASSERT_GT(fprintf(to, "word%d\n", (int)(intptr_t)argument), 0);
    ASSERT_EQ(pclose(to), 0);
    return NULL;
}

int main(void)
{
    pthread_t threads[10];
    for (intptr_t i = 0; i < 10; i++) threads[i] = spawn(i % 2 ? reads : writes, (void *)i);
    for (int i = 0; i < 10; i++) join(threads[i]);
    return 0;
}
