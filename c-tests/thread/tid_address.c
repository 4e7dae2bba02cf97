// prctl(PR_GET_TID_ADDRESS) names the word of the calling thread that is cleared when it ends; who sets that anew, to the same, is joined.
#include "coop-test.h"
#include <sys/prctl.h>

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

static void *sets_again(void *unused)
{
    (void)unused;
    int *word = NULL;
    if (prctl(PR_GET_TID_ADDRESS, &word) == -1 && errno == EINVAL) SKIP("a kernel without CONFIG_CHECKPOINT_RESTORE");
    ASSERT(word != NULL);
    ASSERT_EQ(*word, my_tid());
    ASSERT_EQ(syscall(SYS_set_tid_address, NULL), my_tid());
    int *none = word;
    SYS(prctl(PR_GET_TID_ADDRESS, &none));
    ASSERT(none == NULL);
    ASSERT_EQ(syscall(SYS_set_tid_address, word), my_tid());
    return word;
}

int main(void)
{
    int *before = NULL, *after = NULL;
    if (prctl(PR_GET_TID_ADDRESS, &before) == -1 && errno == EINVAL) SKIP("a kernel without CONFIG_CHECKPOINT_RESTORE");
    enum { THREADS = 10 };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(sets_again, NULL);
    for (int i = 0; i < THREADS; i++) {
        void *word = NULL;
        OK(pthread_join(threads[i], &word));
        ASSERT(word != before);
    }
    SYS(prctl(PR_GET_TID_ADDRESS, &after));
    ASSERT(after == before);
    FAILS(prctl(PR_GET_TID_ADDRESS, 1), EFAULT);
    return 0;
}
