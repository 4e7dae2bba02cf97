// Sleeping threads are cancelled at once: nanosleep, clock_nanosleep, usleep, sleep, pause.
#include "coop-test.h"

static void *body(void *argument)
{
    struct timespec hour = {.tv_sec = 3600}, then = in_ms(CLOCK_MONOTONIC, 3600 * 1000);
    switch ((intptr_t)argument) {
    case 0: nanosleep(&hour, NULL); break;
    case 1: clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL); break;
    case 2: usleep(3600U * 1000000U); break;
    case 3: sleep(3600); break;
    case 4: pause(); break;
    }
    FAIL("a cancelled sleep returned");
}

int main(void)
{
    pthread_t threads[5];
    for (intptr_t i = 0; i < 5; i++) threads[i] = spawn(body, (void *)i);
    let_others_block();
    for (int i = 0; i < 5; i++) OK(pthread_cancel(threads[i]));
    for (int i = 0; i < 5; i++) ASSERT_PTR(join(threads[i]), PTHREAD_CANCELED);
    return 0;
}
