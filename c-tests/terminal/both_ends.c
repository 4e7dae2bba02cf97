// A conversation over a terminal: one thread has the master's side, one the slave's, forty terminals side by side.
#include "terminal.h"

#define TERMINALS 40
#define ROUNDS 20

static int masters[TERMINALS], slaves[TERMINALS];

static void *user(void *argument)
{
    int i = (int)(intptr_t)argument;
    char line[32], wanted[32];
    for (int round = 0; round < ROUNDS; round++) {
        int size = snprintf(line, sizeof line, "line %d\n", round);
        write_all(masters[i], line, (size_t)size);
        snprintf(wanted, sizeof wanted, "got %d: line %d\n", i, round);
        ASSERT_EQ(read_all(masters[i], line, strlen(wanted)), strlen(wanted));
        ASSERT_MEM(line, wanted, strlen(wanted));
    }
    return NULL;
}

static void *program(void *argument)
{
    int i = (int)(intptr_t)argument;
    char line[32] = "", answer[64];
    for (int round = 0; round < ROUNDS; round++) {
        ssize_t got = SYS(read(slaves[i], line, sizeof line - 1));
        line[got] = 0;
        int size = snprintf(answer, sizeof answer, "got %d: %s", i, line);
        write_all(slaves[i], answer, (size_t)size);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[2 * TERMINALS];
    for (intptr_t i = 0; i < TERMINALS; i++) {
        masters[i] = new_terminal(&slaves[i]);
        threads[2 * i] = spawn(program, (void *)i);
        threads[2 * i + 1] = spawn(user, (void *)i);
    }
    for (int i = 0; i < 2 * TERMINALS; i++) join(threads[i]);
    return 0;
}
