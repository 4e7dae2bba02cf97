// Guard-page tricks: a handler that opens each page at its first write sees every page once, from many threads.
#include "coop-test.h"

#define PAGES 64

static char *heap;
static _Atomic int dirty[PAGES];

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    long page = ((char *)info->si_addr - heap) / 4096;
    ASSERT(page >= 0 && page < PAGES);
    ASSERT_EQ(info->si_code, SEGV_ACCERR);
    dirty[page]++;
    SYS(mprotect(heap + page * 4096, 4096, PROT_READ | PROT_WRITE));
}

static void *body(void *argument)
{
    for (int i = (int)(intptr_t)argument; i < PAGES; i += 4) {
        ((volatile char *)heap)[i * 4096 + i] = 1;
        if (i % 7 == 0) sleep_ms(1);
    }
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGSEGV, &action, NULL));
    heap = mmap(NULL, PAGES * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(heap != MAP_FAILED);
    pthread_t threads[4];
    for (intptr_t i = 0; i < 4; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < 4; i++) join(threads[i]);
    for (int i = 0; i < PAGES; i++) ASSERT_EQ(dirty[i], 1);
    return 0;
}
