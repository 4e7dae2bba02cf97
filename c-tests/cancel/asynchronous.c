// Asynchronous cancellation takes a thread out of a wait that is no cancellation point.
#include "coop-test.h"

static uint32_t word;

static void *body(void *unused)
{
    (void)unused;
    OK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
    for (;;) futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return NULL;
}

int main(void)
{
    pthread_t thread = spawn(body, NULL);
    let_others_block();
    OK(pthread_cancel(thread));
    ASSERT_PTR(join(thread), PTHREAD_CANCELED);
    return 0;
}
