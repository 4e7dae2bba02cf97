// A call that never waits for anything but its memory waits for that, and holds up no other thread.
#include "uffd.h"
#include <sys/utsname.h>

static struct utsname *name;

static void *caller(void *unused)
{
    (void)unused;
    SYS(uname(name));
    return NULL;
}

int main(void)
{
    char *page = uffd_page();
    name = (struct utsname *)page;
    pthread_t thread = spawn(caller, NULL);
    uffd_wait();
    sleep_ms(20);
    uffd_fill(page, 'x');
    join(thread);
    struct utsname mine;
    SYS(uname(&mine));
    ASSERT_STR(name->nodename, mine.nodename);
    return 0;
}
