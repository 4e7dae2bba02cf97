// Credentials change while main's alternate signal stack is gone: the process goes on.
#include "cred.h"

static void *changes(void *unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++) SYS(seteuid(i % 2 ? 0 : NOBODY));
    return NULL;
}

int main(void)
{
    size_t size = 64 << 10;
    need_root();
    stack_t stack = {.ss_size = size};
    stack.ss_sp = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(stack.ss_sp != MAP_FAILED);
    SYS(sigaltstack(&stack, NULL));
    pthread_t waiting = spawn(pause_for_ever, NULL);
    stack_t none = {.ss_flags = SS_DISABLE};
    SYS(sigaltstack(&none, NULL));
    SYS(munmap(stack.ss_sp, size));
    join(spawn(changes, NULL));
    changes(NULL);
    OK(pthread_cancel(waiting));
    join(waiting);
    return 0;
}
