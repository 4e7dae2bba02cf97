// Cancellation unwinds C++ frames: destructors run innermost first, catch (...) sees it and passes it on, other handlers do not.
#include "coop-test.h"
#include <cxxabi.h>
#include <atomic>
#include <stdexcept>
#include <string>

static std::atomic<int> begun{0};
static thread_local std::string trace;

struct Note {
    const char *name;
    explicit Note(const char *n) : name(n) {}
    ~Note() { trace += name; }
};

static void wait_for_it(bool by_exit)
{
    Note inner("1");
    try {
        Note in_try("0");
        begun++;
        if (by_exit) pthread_exit(reinterpret_cast<void *>(5));
        for (;;) pause();
    } catch (const std::exception &) {
        FAIL("an exception");
    }
}

static void *body(void *by_exit)
{
    trace.clear();
    try {
        Note outer("3");
        try {
            Note middle("2");
            wait_for_it(by_exit != nullptr);
        } catch (abi::__forced_unwind &) {
            trace += "f";
            throw;
        }
    } catch (...) {
        trace += "c";
        ASSERT_STR(trace.c_str(), "012f3c");
        throw;
    }
    FAIL("came back");
}

int main()
{
    for (intptr_t i = 0; i < 6; i++) {
        pthread_t thread = spawn(body, i % 2 ? reinterpret_cast<void *>(1) : nullptr);
        UNTIL(begun == i + 1);
        if (i % 2) {
            ASSERT_PTR(join(thread), reinterpret_cast<void *>(5));
        } else {
            OK(pthread_cancel(thread));
            ASSERT_PTR(join(thread), PTHREAD_CANCELED);
        }
    }
    return 0;
}
