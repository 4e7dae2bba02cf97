// Two threads wait inside catch blocks and destructors at once: each keeps its own current exception.
#include "coop-test.h"
#include <exception>
#include <string>

static pthread_barrier_t together;

struct Waits {
    ~Waits() { pthread_barrier_wait(&together); }
};

static void *body(void *argument)
{
    int mine = (int)(intptr_t)argument;
    for (int i = 0; i < 20; i++) {
        try {
            Waits waits;
            throw mine + i;
        } catch (int outer) {
            pthread_barrier_wait(&together);
            ASSERT_EQ(outer, mine + i);
            ASSERT_EQ(std::uncaught_exceptions(), 0);
            try {
                Waits waits;
                throw std::string(1, (char)('a' + mine % 26));
            } catch (const std::string &inner) {
                pthread_barrier_wait(&together);
                ASSERT_EQ(inner[0], 'a' + mine % 26);
            }
            try {
                throw;
            } catch (int again) {
                ASSERT_EQ(again, mine + i);
            }
        }
    }
    return nullptr;
}

int main()
{
    OK(pthread_barrier_init(&together, nullptr, 2));
    pthread_t one = spawn(body, (void *)1000), two = spawn(body, (void *)2001);
    join(one);
    join(two);
}
