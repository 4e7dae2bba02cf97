// thread_local objects are constructed on first use in each thread and destroyed at its end, last first.
#include "coop-test.h"
#include <atomic>
#include <string>
#include <thread>
#include <vector>

static std::atomic<int> constructed, destroyed;
static thread_local std::string *order;

struct Counted {
    char letter;
    explicit Counted(char c) : letter(c) { constructed++; }
    ~Counted()
    {
        sleep_ms(1);
        if (order) *order += letter;
        destroyed++;
    }
};

static thread_local Counted first('f');
static thread_local std::vector<int> numbers{1, 2, 3};

static void use(std::string *into)
{
    order = into;
    first.letter = 'f';
    static thread_local Counted second('s');
    second.letter = 's';
    numbers.push_back(4);
    sched_yield();
    ASSERT_EQ(numbers.size(), 4);
}

int main()
{
    std::string orders[10];
    std::vector<std::thread> threads;
    for (auto &text : orders) threads.emplace_back(use, &text);
    for (auto &thread : threads) thread.join();
    for (auto &text : orders) ASSERT_STR(text.c_str(), "sf");
    ASSERT_EQ(constructed, 20);
    ASSERT_EQ(destroyed, 20);
    ASSERT_EQ(numbers.size(), 3);
}
