// A thread that waits inside the kernel for a page, in the middle of its own code, holds up no other.
#include "uffd.h"

static char *page;

static void *toucher(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)*(volatile char *)page;
}

int main(void)
{
    page = uffd_page();
    pthread_t thread = spawn(toucher, NULL);
    uffd_wait();
    sleep_ms(20);
    uffd_fill(page, 7);
    ASSERT_EQ((intptr_t)join(thread), 7);
    return 0;
}
