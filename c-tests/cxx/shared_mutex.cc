// std::shared_timed_mutex and std::recursive_timed_mutex: shared readers, one writer, time-outs.
#include "coop-test.h"
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

int main()
{
    std::shared_timed_mutex shared;
    std::recursive_timed_mutex recursive;
    int value = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 10; i++)
        threads.emplace_back([&, i] {
            for (int j = 0; j < 20; j++) {
                if (i < 2) {
                    std::unique_lock<std::shared_timed_mutex> lock(shared);
                    value++;
                    std::this_thread::yield();
                } else {
                    std::shared_lock<std::shared_timed_mutex> lock(shared);
                    int seen = value;
                    std::this_thread::yield();
                    ASSERT_EQ(value, seen);
                }
            }
        });
    for (auto &thread : threads) thread.join();
    ASSERT_EQ(value, 40);

    std::lock_guard<std::recursive_timed_mutex> one(recursive), two(recursive);
    std::unique_lock<std::shared_timed_mutex> writer(shared);
    std::thread late([&] {
        ASSERT(!recursive.try_lock_for(10ms));
        ASSERT(!shared.try_lock_shared_for(10ms));
        ASSERT(!shared.try_lock());
    });
    late.join();
}
