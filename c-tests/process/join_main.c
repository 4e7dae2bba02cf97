// A thread can join main after main's pthread_exit, and gets its value.
#include "coop-test.h"

static pthread_t main_thread;

static void *body(void *unused)
{
    (void)unused;
    ASSERT_PTR(join(main_thread), &main_thread);
    puts("main was joined");
    return NULL;
}

int main(void)
{
    main_thread = pthread_self();
    spawn(body, NULL);
    let_others_block();
    pthread_exit(&main_thread);
}
