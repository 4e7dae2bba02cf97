// C++ exceptions thrown and caught within threads, over waits, nested and rethrown; destructors run.
#include "coop-test.h"
#include <stdexcept>
#include <string>

static std::string trace(int depth)
{
    struct Guard {
        std::string &text;
        ~Guard() { text += 'd'; }
    };
    std::string text;
    try {
        Guard guard{text};
        sleep_ms(1);
        if (depth == 0) throw std::runtime_error("deep");
        trace(depth - 1);
    } catch (const std::runtime_error &error) {
        sched_yield();
        if (depth < 3) throw;
        text += error.what();
    }
    return text;
}

static void *body(void *)
{
    for (int i = 0; i < 10; i++) ASSERT_STR(trace(3).c_str(), "ddeep");
    return nullptr;
}

int main()
{
    pthread_t threads[10];
    for (auto &thread : threads) thread = spawn(body, nullptr);
    for (auto thread : threads) join(thread);
    body(nullptr);
}
