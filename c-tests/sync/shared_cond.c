// A mutex and a condition variable in shared memory: threads of two processes take turns, each wakes the other.
#include "shared.h"

enum { ROUNDS = 200 };

struct room {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int turn;
};

static struct room *room;

static void *player(void *argument)
{
    int me = (int)(intptr_t)argument;
    OK(pthread_mutex_lock(&room->mutex));
    for (int i = 0; i < ROUNDS; i++) {
        while (room->turn % 2 != me) OK(pthread_cond_wait(&room->changed, &room->mutex));
        room->turn++;
        OK(pthread_cond_signal(&room->changed));
    }
    OK(pthread_mutex_unlock(&room->mutex));
    return NULL;
}

int main(void)
{
    room = shared_memory(sizeof *room);
    shared_mutex(&room->mutex, 0);
    shared_cond(&room->changed);
    for (int converted = 0; converted < 2; converted++) {
        room->turn = 0;
        pid_t child = SYS(fork());
        if (child == 0) {
            if (converted) join(spawn(player, (void *)1));
            else player((void *)1);
            _exit(0);
        }
        join(spawn(player, NULL));
        ASSERT_EQ(finish(child), 0);
        ASSERT_EQ(room->turn, 2 * ROUNDS);
    }
    return 0;
}
