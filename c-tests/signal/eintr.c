// A handler without SA_RESTART ends what a thread waits in with EINTR: read, recv, accept, sem_wait, waitpid, write.
#include "coop-test.h"

#define CALLS 6

static int ends[2], pair[2], listener;
static sem_t never;
static pid_t child;
static _Atomic int done;

static void handler(int number) { (void)number; }

static void *body(void *argument)
{
    static char bytes[1 << 17];
    char byte;
    switch ((intptr_t)argument) {
    case 0: FAILS(read(ends[0], &byte, 1), EINTR); break;
    case 1: FAILS(recv(pair[0], &byte, 1, 0), EINTR); break;
    case 2: FAILS(accept(listener, NULL, NULL), EINTR); break;
    case 3: FAILS(sem_wait(&never), EINTR); break;
    case 4: FAILS(waitpid(child, NULL, 0), EINTR); break;
    case 5:
        while (send(pair[1], bytes, sizeof bytes, 0) > 0) continue;
        ASSERT_EQ(errno, EINTR);
        break;
    }
    done++;
    return NULL;
}

int main(void)
{
    struct sockaddr_in address;
    SYS(pipe(ends));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    listener = tcp_listener(&address, 1);
    SYS(sem_init(&never, 0, 0));
    child = SYS(fork());
    if (child == 0) pause_for_ever(NULL);
    on_signal(SIGUSR1, handler, 0);

    // One call at a time, all while another thread waits.
    pthread_t other = spawn(pause_for_ever, NULL);
    for (intptr_t i = 0; i < CALLS; i++) {
        pthread_t thread = spawn(body, (void *)i);
        while (done <= i) {
            pthread_kill(thread, SIGUSR1);
            sleep_ms(2);
        }
        join(thread);
    }
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
