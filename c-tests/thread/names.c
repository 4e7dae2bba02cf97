// Names: set by oneself (pthread_setname_np, prctl) and by another, read back either way, cut at 15 and inherited.
#include "coop-test.h"
#include <sys/prctl.h>

static sem_t named, go;

static void *body(void *unused)
{
    (void)unused;
    char name[16] = "";
    SYS(prctl(PR_GET_NAME, name));
    ASSERT_STR(name, "the creator");
    OK(pthread_setname_np(pthread_self(), "worker"));
    SYS(prctl(PR_GET_NAME, name));
    ASSERT_STR(name, "worker");
    SYS(prctl(PR_SET_NAME, "a name longer than fits"));
    OK(pthread_getname_np(pthread_self(), name, sizeof name));
    ASSERT_STR(name, "a name longer t");
    SYS(sem_post(&named));
    SYS(sem_wait(&go));
    SYS(prctl(PR_GET_NAME, name));
    ASSERT_STR(name, "from outside");
    return NULL;
}

int main(void)
{
    char name[16] = "";
    SYS(sem_init(&named, 0, 0));
    SYS(sem_init(&go, 0, 0));
    SYS(prctl(PR_SET_NAME, "the creator"));
    pthread_t thread = spawn(body, NULL);
    SYS(sem_wait(&named));
    OK(pthread_getname_np(thread, name, sizeof name));
    ASSERT_STR(name, "a name longer t");
    OK(pthread_setname_np(thread, "from outside"));
    GIVES(pthread_setname_np(thread, "sixteen letters!"), ERANGE);
    SYS(sem_post(&go));
    join(thread);
    SYS(prctl(PR_GET_NAME, name));
    ASSERT_STR(name, "the creator");
    OK(pthread_getname_np(pthread_self(), name, sizeof name));
    ASSERT_STR(name, "the creator");
    return 0;
}
