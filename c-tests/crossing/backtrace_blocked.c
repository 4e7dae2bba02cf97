// backtrace(3) in a handler that interrupts a waiting call shows the functions that led to the wait.
// libs: -rdynamic
#include "coop-test.h"
#include <dlfcn.h>
#include <execinfo.h>

static int ends[2];
static _Atomic int handled, shown;

static int shows(void **frames, int count, const char *function)
{
    Dl_info info;
    for (int i = 0; i < count; i++)
        if (dladdr(frames[i], &info) && info.dli_sname && strcmp(info.dli_sname, function) == 0) return 1;
    return 0;
}

static void handler(int number)
{
    (void)number;
    void *frames[64];
    int count = backtrace(frames, 64);
    if (shows(frames, count, "outer_function") && shows(frames, count, "inner_function")) shown++;
    handled++;
}

__attribute__((noinline)) char inner_function(void)
{
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return byte;
}

__attribute__((noinline)) int outer_function(void)
{
    return inner_function() + 1;
}

static void *body(void *unused)
{
    (void)unused;
    ASSERT_EQ(outer_function(), 'x' + 1);
    return NULL;
}

int main(void)
{
    void *frames[4];
    // The first call loads the unwinder.
    ASSERT_GT(backtrace(frames, 4), 0);
    SYS(pipe(ends));
    on_signal(SIGUSR1, handler, SA_RESTART);
    pthread_t thread = spawn(body, NULL);
    // A signal before the read shows nothing yet: only the wait itself does.
    UNTIL(pthread_kill(thread, SIGUSR1) == 0 && (sleep_ms(5), shown > 0));
    SYS(write(ends[1], "x", 1));
    join(thread);
    ASSERT_GE(handled, shown);
    return 0;
}
