// An exception nobody catches in a thread ends the process by SIGABRT.
#include "coop-test.h"
#include <exception>
#include <thread>

int main()
{
    pid_t child = SYS(fork());
    if (child == 0) {
        std::set_terminate([] { abort(); });
        std::thread other([] { pause(); });
        std::thread thread([] {
            sleep_ms(1);
            throw 1;
        });
        thread.join();
        _exit(0);
    }
    ASSERT_EQ(finish(child), 128 + SIGABRT);
}
