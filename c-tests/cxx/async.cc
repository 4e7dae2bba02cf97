// std::async, future, promise, packaged_task and exceptions through a future.
#include "coop-test.h"
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static int fibonacci(int n)
{
    if (n < 2) return n;
    if (n < 8) return fibonacci(n - 1) + fibonacci(n - 2);
    auto left = std::async(std::launch::async, fibonacci, n - 1);
    int right = fibonacci(n - 2);
    return left.get() + right;
}

int main()
{
    ASSERT_EQ(fibonacci(14), 377);

    std::promise<int> promise;
    auto future = promise.get_future();
    ASSERT(future.wait_for(5ms) == std::future_status::timeout);
    std::thread setter([&] {
        std::this_thread::sleep_for(5ms);
        promise.set_value(9);
    });
    ASSERT_EQ(future.get(), 9);
    setter.join();

    auto throwing = std::async(std::launch::async, []() -> int { throw std::out_of_range("far"); });
    const char *caught = "";
    try {
        throwing.get();
    } catch (const std::out_of_range &) {
        caught = "out of range";
    }
    ASSERT_STR(caught, "out of range");

    std::packaged_task<int(int)> task([](int n) { return n * 2; });
    auto doubled = task.get_future();
    std::thread runner(std::move(task), 21);
    ASSERT_EQ(doubled.get(), 42);
    runner.join();
}
