// Cancelling a thread that waits, and pthread_exit, unwind its C++ frames: destructors run, catch (...) rethrows.
#include "coop-test.h"
#include <atomic>
#include <cxxabi.h>

static int ends[2];
static std::atomic<int> destroyed, caught;

struct Guard {
    ~Guard() { destroyed++; }
};

__attribute__((noinline)) static void wait_deep(int depth, bool exits)
{
    Guard guard;
    if (depth > 0) {
        wait_deep(depth - 1, exits);
    } else if (exits) {
        pthread_exit(&ends);
    } else {
        char byte;
        SYS(read(ends[0], &byte, 1));
    }
    sched_yield();
}

static void *body(void *exits)
{
    try {
        wait_deep(4, exits != nullptr);
    } catch (abi::__forced_unwind &) {
        caught++;
        throw;
    }
    return nullptr;
}

int main()
{
    SYS(pipe(ends));
    for (int i = 1; i <= 5; i++) {
        pthread_t thread = spawn(body, nullptr);
        let_others_block();
        OK(pthread_cancel(thread));
        ASSERT_PTR(join(thread), PTHREAD_CANCELED);
        ASSERT_EQ(destroyed, i * 10 - 5);
        ASSERT_PTR(join(spawn(body, &ends)), &ends);
        ASSERT_EQ(destroyed, i * 10);
        ASSERT_EQ(caught, i * 2);
    }
}
