// expect-exit: 143
// A signal for one thread whose default action is to end the process ends it all, with that signal's status.
#include "coop-test.h"

int main(void)
{
    pthread_t thread = spawn(pause_for_ever, NULL);
    spawn(pause_for_ever, NULL);
    let_others_block();
    OK(pthread_kill(thread, SIGTERM));
    sleep_ms(20000);
    return 0;
}
