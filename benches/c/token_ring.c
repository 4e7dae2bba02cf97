/* A token goes round a ring of 1,000 threads, each of which sleeps on a semaphore of its own. */
#include "bench.h"
#include <semaphore.h>

enum { THREADS = 1000 };

static sem_t turn[THREADS], finished;
static long hops_left; /* only the holder of the token touches it */

static void *member(void *arg)
{
    long me = (long)arg;

    for (;;) {
        sem_wait(&turn[me]);
        if (hops_left < 0) /* the end: pass the word on and go */
            break;
        sem_post(hops_left-- == 0 ? &finished : &turn[(me + 1) % THREADS]);
    }
    if (me + 1 < THREADS)
        sem_post(&turn[me + 1]);
    return NULL;
}

static void send_round(long hops)
{
    hops_left = hops;
    sem_post(&turn[0]);
    sem_wait(&finished);
}

static void bench(int argc, char **argv)
{
    static pthread_t members[THREADS];
    pthread_attr_t attr;

    (void)argc, (void)argv;
    crowd_attr(&attr);
    MUST_ERRNO(sem_init(&finished, 0, 0));
    for (long i = 0; i < THREADS; i++)
        MUST_ERRNO(sem_init(&turn[i], 0, 0));
    for (long i = 0; i < THREADS; i++)
        MUST(pthread_create(&members[i], &attr, member, (void *)i));
    bench_measure("hop", send_round, "ns");
    hops_left = -1;
    sem_post(&turn[0]);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_join(members[i], NULL));
}
