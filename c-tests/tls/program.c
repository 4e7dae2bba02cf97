// __thread variables of the program: initial values in every thread, private, kept over waits, addresses distinct.
#include "coop-test.h"

static __thread int number = 42;
static __thread char zeroed[1000];
static __thread _Alignas(64) int aligned = 7;

static void *body(void *argument)
{
    int mine = (int)(intptr_t)argument;
    ASSERT_EQ(number, 42);
    ASSERT_EQ(aligned, 7);
    ASSERT_EQ((uintptr_t)&aligned % 64, 0);
    for (size_t i = 0; i < sizeof zeroed; i++) ASSERT_EQ(zeroed[i], 0);
    number = mine;
    memset(zeroed, mine, sizeof zeroed);
    int *address = &number;
    for (int round = 0; round < 5; round++) {
        sleep_ms(1);
        ASSERT_EQ(number, mine);
        ASSERT_PTR(&number, address);
        ASSERT_EQ(zeroed[999], (char)mine);
    }
    return address;
}

int main(void)
{
    pthread_t threads[50];
    number = -1;
    for (intptr_t i = 0; i < 50; i++) threads[i] = spawn(body, (void *)(i + 1));
    for (int i = 0; i < 50; i++) ASSERT(join(threads[i]) != &number);
    ASSERT_EQ(number, -1);
    return 0;
}
