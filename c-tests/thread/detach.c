// Detached threads (by attribute, by the creator, by themselves) run to their end; joining one is EINVAL.
#include "coop-test.h"

static sem_t go, gone;

static void *detached(void *by_itself)
{
    if (by_itself) OK(pthread_detach(pthread_self()));
    SYS(sem_wait(&go));
    SYS(sem_post(&gone));
    return NULL;
}

int main(void)
{
    SYS(sem_init(&go, 0, 0));
    SYS(sem_init(&gone, 0, 0));
    pthread_attr_t attributes;
    OK(pthread_attr_init(&attributes));
    OK(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED));

    pthread_t one, two;
    OK(pthread_create(&one, &attributes, detached, NULL));
    two = spawn(detached, NULL);
    OK(pthread_detach(two));
    spawn(detached, &go);
    GIVES(pthread_join(one, NULL), EINVAL);
    GIVES(pthread_join(two, NULL), EINVAL);
    GIVES(pthread_detach(one), EINVAL);

    for (int i = 0; i < 3; i++) SYS(sem_post(&go));
    for (int i = 0; i < 3; i++) SYS(sem_wait(&gone));
    return 0;
}
