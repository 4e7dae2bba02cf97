// Children forked while other threads allocate and print can allocate and print themselves.
#include "coop-test.h"

static _Atomic int stop;

static void *busy(void *unused)
{
    (void)unused;
    FILE *null = fopen("/dev/null", "w");
    ASSERT(null != NULL);
    while (!stop) {
        void *blocks[50];
        for (int i = 0; i < 50; i++) blocks[i] = malloc((size_t)i * 97);
        for (int i = 0; i < 50; i++) free(blocks[i]);
        fprintf(null, "%s\n", "a line");
        sched_yield();
    }
    fclose(null);
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = spawn(busy, NULL);
    for (int i = 0; i < 20; i++) {
        pid_t child = SYS(fork());
        if (child == 0) {
            char *block = malloc(100000);
            memset(block, 1, 100000);
            free(block);
            printf("child %d\n", i);
            exit(0);
        }
        ASSERT_EQ(finish(child), 0);
    }
    stop = 1;
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
