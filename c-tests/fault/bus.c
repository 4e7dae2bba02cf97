// A page of a file's mapping beyond the file's end: SIGBUS with BUS_ADRERR; once the file is long enough the access goes on.
#include "coop-test.h"

static int file;
static char *map;
static _Atomic int seen;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGBUS);
    ASSERT_EQ(info->si_code, BUS_ADRERR);
    ASSERT_PTR(info->si_addr, map + 4096 + 5);
    seen++;
    SYS(ftruncate(file, 8192));
}

static void *body(void *unused)
{
    ((volatile char *)map)[4096 + 5] = 'x';
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGBUS, &action, NULL));
    file = SYS(memfd_create("short", 0));
    SYS(ftruncate(file, 4096));
    map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ASSERT(map != MAP_FAILED);
    join(spawn(body, NULL));
    ASSERT_EQ(seen, 1);
    char byte;
    ASSERT_EQ(SYS(pread(file, &byte, 1, 4096 + 5)), 1);
    ASSERT_EQ(byte, 'x');
    return 0;
}
