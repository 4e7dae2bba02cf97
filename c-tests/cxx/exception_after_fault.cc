// An exception thrown out of a fault's handler, by -fnon-call-exceptions' rules: the handler unwinds into the frame that met the fault.
// libs: -fnon-call-exceptions
#include "coop-test.h"
#include <stdexcept>

struct Fault : std::runtime_error {
    Fault() : std::runtime_error("fault") {}
};

static void handler(int)
{
    throw Fault();
}

__attribute__((noinline)) static int load(volatile int *from)
{
    return *from;
}

static void *body(void *)
{
    for (int i = 0; i < 20; i++) {
        int caught = 0;
        try {
            load(reinterpret_cast<volatile int *>(64 + 4 * i));
        } catch (const Fault &) {
            caught++;
        }
        ASSERT_EQ(caught, 1);
    }
    return nullptr;
}

int main()
{
    on_signal(SIGSEGV, handler, SA_NODEFER);
    pthread_t threads[3];
    for (auto &thread : threads) thread = spawn(body, nullptr);
    for (auto thread : threads) join(thread);
    return 0;
}
