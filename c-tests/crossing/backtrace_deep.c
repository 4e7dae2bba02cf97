// backtrace(3) in a thread sees all its callers down to the thread's start and stops there.
// libs: -rdynamic
#include "coop-test.h"
#include <dlfcn.h>
#include <execinfo.h>

__attribute__((noinline)) int recursive_function(int depth)
{
    if (depth > 0) {
        int below = recursive_function(depth - 1);
        sched_yield();
        return below;
    }
    void *frames[100];
    int seen = 0, count = backtrace(frames, 100);
    Dl_info info;
    for (int i = 0; i < count; i++)
        if (dladdr(frames[i], &info) && info.dli_sname)
            seen += strcmp(info.dli_sname, "recursive_function") == 0;
    // The walk ends by itself: it does not run into whatever carries the thread.
    ASSERT_LT(count, 30);
    return seen;
}

static void *body(void *unused)
{
    (void)unused;
    ASSERT_EQ(recursive_function(19), 20);
    return NULL;
}

int main(void)
{
    pthread_t one = spawn(body, NULL), two = spawn(body, NULL);
    join(one);
    join(two);
    body(NULL);
    return 0;
}
