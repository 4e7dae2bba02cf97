// The C++ library's threads, each with a result that does not depend on the order of threads.
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <future>
#include <iostream>
#include <latch>
#include <map>
#include <mutex>
#include <numeric>
#include <queue>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static long threads_and_mutex()
{
    std::mutex lock;
    long sum = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 50; i++)
        threads.emplace_back([&, i] {
            for (int j = 0; j < 100; j++) {
                std::lock_guard hold(lock);
                sum += i;
            }
        });
    for (auto &thread : threads)
        thread.join();
    return sum;
}

// A bounded queue: producers wait for room, consumers for something to take.
static long queue()
{
    constexpr int producers = 4, consumers = 3, each = 500;
    std::mutex lock;
    std::condition_variable room, some;
    std::queue<int> items;
    std::atomic<long> sum = 0;
    std::vector<std::jthread> threads;
    for (int p = 0; p < producers; p++)
        threads.emplace_back([&, p] {
            for (int i = 0; i < each; i++) {
                std::unique_lock hold(lock);
                room.wait(hold, [&] { return items.size() < 4; });
                items.push(p * each + i);
                some.notify_one();
            }
        });
    for (int c = 0; c < consumers; c++)
        threads.emplace_back([&] {
            for (;;) {
                std::unique_lock hold(lock);
                some.wait(hold, [&] { return !items.empty(); });
                int item = items.front();
                if (item < 0)
                    return; // Left in the queue, for the other consumers too.
                items.pop();
                room.notify_one();
                sum += item;
            }
        });
    for (int p = 0; p < producers; p++)
        threads[p].join();
    {
        std::lock_guard hold(lock);
        items.push(-1);
    }
    some.notify_all();
    threads.clear();
    return sum;
}

static long async_sum(const std::vector<int> &numbers, size_t from, size_t to)
{
    if (to - from <= 500)
        return std::accumulate(numbers.begin() + from, numbers.begin() + to, 0L);
    size_t middle = from + (to - from) / 2;
    auto left = std::async(std::launch::async, async_sum, std::cref(numbers), from, middle);
    return async_sum(numbers, middle, to) + left.get();
}

static std::string exceptions()
{
    std::string seen;
    auto failing = std::async(std::launch::async, []() -> int {
        std::this_thread::sleep_for(2ms);
        throw std::runtime_error("thrown in a thread");
    });
    try {
        failing.get();
    } catch (const std::runtime_error &error) {
        seen += error.what();
    }
    // Caught in the thread itself, after it has blocked on the way up.
    std::thread([&] {
        struct Slow {
            ~Slow() { std::this_thread::sleep_for(2ms); }
        };
        try {
            Slow first;
            std::vector<int>().at(3);
        } catch (const std::out_of_range &) {
            seen += ", out of range";
        }
    }).join();
    std::promise<int> abandoned;
    auto orphan = abandoned.get_future();
    std::thread([](std::promise<int>) {}, std::move(abandoned)).join();
    try {
        orphan.get();
    } catch (const std::future_error &error) {
        seen += error.code() == std::future_errc::broken_promise ? ", broken promise" : ", other";
    }
    return seen;
}

static std::string timeouts()
{
    std::string seen;
    auto began = std::chrono::steady_clock::now();
    std::promise<void> never;
    seen += never.get_future().wait_for(20ms) == std::future_status::timeout ? "future" : "?";
    std::timed_mutex held;
    std::lock_guard hold(held);
    std::thread([&] { seen += held.try_lock_for(20ms) ? ", ?" : ", mutex"; }).join();
    std::mutex lock;
    std::condition_variable condition;
    std::unique_lock wait(lock);
    seen += condition.wait_until(wait, std::chrono::system_clock::now() + 20ms) == std::cv_status::timeout
                ? ", condition"
                : ", ?";
    return std::chrono::steady_clock::now() - began >= 60ms ? seen : seen + " too early";
}

struct Counted {
    static inline std::atomic<int> alive = 0, made = 0;
    int value = ++made;
    Counted() { alive++; }
    ~Counted() { alive--; }
};

static thread_local Counted mine;

static std::string thread_locals()
{
    std::once_flag flag;
    std::atomic<int> ran = 0;
    std::latch together(20), all_looked(20);
    std::atomic<int> own = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 20; i++)
        threads.emplace_back([&] {
            int value = mine.value;
            std::call_once(flag, [&] {
                std::this_thread::sleep_for(5ms);
                ran++;
            });
            together.arrive_and_wait();
            if (Counted::alive == 20 && mine.value == value)
                own++;
            all_looked.arrive_and_wait();
        });
    for (auto &thread : threads)
        thread.join();
    return std::to_string(ran) + " once, " + std::to_string(own) + " own, " + std::to_string(Counted::alive) + " left";
}

static std::string newer()
{
    int phases = 0;
    std::barrier barrier(8, [&]() noexcept { phases++; });
    std::counting_semaphore<3> three(3);
    std::atomic<int> inside = 0, most = 0, passed = 0;
    std::atomic<bool> go = false;
    std::shared_mutex shared;
    std::map<int, int> table;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; i++)
        threads.emplace_back([&, i] {
            go.wait(false);
            for (int round = 0; round < 20; round++) {
                three.acquire();
                int now = ++inside, seen = most;
                while (now > seen && !most.compare_exchange_weak(seen, now))
                    ;
                {
                    std::unique_lock write(shared);
                    table[i]++;
                }
                inside--;
                three.release();
                std::shared_lock read(shared);
                passed += table.count(i);
                read.unlock();
                barrier.arrive_and_wait();
            }
        });
    go = true;
    go.notify_all();
    threads.clear();
    // A stop request ends a wait.
    std::jthread stoppable([&](std::stop_token stop) {
        std::mutex lock;
        std::condition_variable_any condition;
        std::unique_lock wait(lock);
        condition.wait(wait, stop, [] { return false; });
        phases += 1000;
    });
    stoppable.request_stop();
    stoppable.join();
    return std::to_string(phases) + " phases, " + std::to_string(passed) + " passed, " +
           (most <= 3 ? "never more than 3" : "too many");
}

int main()
{
    std::vector<int> numbers(8000);
    std::iota(numbers.begin(), numbers.end(), 1);
    std::cout << "threads and mutex: " << threads_and_mutex() << '\n'
              << "queue: " << queue() << '\n'
              << "async: " << async_sum(numbers, 0, numbers.size()) << '\n'
              << "exceptions: " << exceptions() << '\n'
              << "time-outs: " << timeouts() << '\n'
              << "thread locals: " << thread_locals() << '\n'
              << "newer: " << newer() << '\n';
}
