// A thread runs on the stack its creator supplies; after the join the memory is the creator's to use again.
#include "coop-test.h"

#define SIZE (256 << 10)

static void *body(void *stack)
{
    volatile char local[1024];
    local[0] = local[1023] = 1;
    ASSERT_GE((uintptr_t)local, (uintptr_t)stack);
    ASSERT_LT((uintptr_t)local, (uintptr_t)stack + SIZE);
    sleep_ms(2);

    void *address;
    size_t size;
    pthread_attr_t attributes;
    OK(pthread_getattr_np(pthread_self(), &attributes));
    OK(pthread_attr_getstack(&attributes, &address, &size));
    ASSERT_PTR(address, stack);
    ASSERT_EQ(size, SIZE);
    return stack;
}

int main(void)
{
    void *stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(stack != MAP_FAILED);
    pthread_attr_t attributes;
    OK(pthread_attr_init(&attributes));
    OK(pthread_attr_setstack(&attributes, stack, SIZE));
    for (int round = 0; round < 50; round++) {
        pthread_t thread;
        OK(pthread_create(&thread, &attributes, body, stack));
        ASSERT_PTR(join(thread), stack);
        memset(stack, round, SIZE);
    }
    SYS(munmap(stack, SIZE));
    return 0;
}
