// std::thread, mutex, condition_variable with time-outs, call_once, sleep_for and ids.
#include "coop-test.h"
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

int main()
{
    std::mutex mutex;
    std::condition_variable changed;
    std::once_flag flag;
    std::set<std::thread::id> ids;
    int turn = 0, once = 0;

    std::vector<std::thread> threads;
    for (int i = 0; i < 20; i++)
        threads.emplace_back([&, i] {
            std::call_once(flag, [&] { once++; });
            std::this_thread::sleep_for(1ms);
            std::unique_lock<std::mutex> lock(mutex);
            changed.wait(lock, [&] { return turn == i; });
            turn++;
            ids.insert(std::this_thread::get_id());
            changed.notify_all();
        });
    for (auto &thread : threads) thread.join();
    ASSERT_EQ(turn, 20);
    ASSERT_EQ(once, 1);
    ASSERT_EQ(ids.size(), 20);

    std::unique_lock<std::mutex> lock(mutex);
    auto start = std::chrono::steady_clock::now();
    bool reached = changed.wait_for(lock, 30ms, [&] { return turn == 99; });
    ASSERT(!reached);
    ASSERT((std::chrono::steady_clock::now() - start) >= 30ms);
}
