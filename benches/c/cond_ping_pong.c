/* Two threads hand a turn to and fro with one mutex and one condition variable. */
#include "bench.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long turn, rounds;

static void *player(void *arg)
{
    long me = (long)arg;

    for (long i = 0; i < rounds; i++) {
        pthread_mutex_lock(&lock);
        while (turn != me)
            pthread_cond_wait(&changed, &lock);
        turn = !me;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void play(long n)
{
    pthread_t players[2];

    rounds = n;
    for (long i = 0; i < 2; i++)
        MUST(pthread_create(&players[i], NULL, player, (void *)i));
    for (int i = 0; i < 2; i++)
        MUST(pthread_join(players[i], NULL));
}

static void bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    bench_measure("round-trip", play, "ns");
}
