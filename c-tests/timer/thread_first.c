// A program whose first thread is a SIGEV_THREAD timer's is converted like any other: many threads of it are few of the system's.
// only: preloaded
#include "coop-test.h"
#include <dirent.h>

static _Atomic int ticks;

static void on_tick(union sigval value)
{
    (void)value;
    ticks++;
}

int main(void)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD};
    event.sigev_notify_function = on_tick;
    SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec every = {{0, 2 * NS_PER_MS}, {0, 2 * NS_PER_MS}};
    SYS(timer_settime(timer, 0, &every, NULL));
    UNTIL(ticks >= 3);
    pthread_t threads[50];
    for (int i = 0; i < 50; i++) threads[i] = spawn_small(pause_for_ever, NULL);
    let_others_block();
    int count = 0;
    DIR *list = opendir("/proc/self/task");
    ASSERT(list != NULL);
    while (readdir(list) != NULL) count++;
    closedir(list);
    ASSERT_LT(count, 40);
    for (int i = 0; i < 50; i++) OK(pthread_cancel(threads[i]));
    for (int i = 0; i < 50; i++) join(threads[i]);
    return 0;
}
