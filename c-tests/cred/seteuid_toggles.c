// seteuid to and fro while other threads use files: after each change every thread has the rights of the moment.
#include "cred.h"

enum { THREADS = 4, ROUNDS = 12 };
static pthread_barrier_t changed, looked;
static char path[] = "/tmp/coop-cred-XXXXXX";

static void *looks(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&changed);
        ASSERT_EQ(geteuid(), i % 2 ? 0 : NOBODY);
        if (i % 2) {
            int fd = SYS(open(path, O_RDWR));
            SYS(fsync(fd));
            SYS(close(fd));
        } else {
            FAILS(open(path, O_RDWR), EACCES);
            FAILS(truncate(path, 5), EACCES);
        }
        pthread_barrier_wait(&looked);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    need_root();
    SYS(close(SYS(mkstemp(path))));
    OK(pthread_barrier_init(&changed, NULL, THREADS + 1));
    OK(pthread_barrier_init(&looked, NULL, THREADS + 1));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(looks, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        SYS(seteuid(i % 2 ? 0 : NOBODY));
        pthread_barrier_wait(&changed);
        pthread_barrier_wait(&looked);
    }
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    SYS(unlink(path));
    return 0;
}
