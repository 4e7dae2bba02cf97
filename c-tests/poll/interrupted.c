// A handler ends poll, select and epoll_wait with EINTR even under SA_RESTART.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>

static _Atomic int done;

static void handler(int number) { (void)number; }

static void *body(void *argument)
{
    struct epoll_event event;
    int epoll = SYS(epoll_create1(0));
    switch ((intptr_t)argument) {
    case 0: FAILS(poll(NULL, 0, -1), EINTR); break;
    case 1: FAILS(select(0, NULL, NULL, NULL, NULL), EINTR); break;
    case 2: FAILS(epoll_wait(epoll, &event, 1, -1), EINTR); break;
    }
    done++;
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_RESTART);
    pthread_t threads[3];
    for (intptr_t i = 0; i < 3; i++) threads[i] = spawn(body, (void *)i);
    while (done < 3) {
        for (int i = 0; i < 3; i++) pthread_kill(threads[i], SIGUSR1);
        sleep_ms(5);
    }
    for (int i = 0; i < 3; i++) join(threads[i]);
    return 0;
}
