// A new thread begins with its maker's identity for files. What either changes later is its own.
#include "own.h"

static sem_t go;

static void *grandchild(void *argument)
{
    ASSERT_EQ(fsuid(), 2000);
    setfsuid(4000);
    sem_post(&go);
    sleep_ms(5);
    ASSERT_EQ(fsuid(), 4000);
    return argument;
}

static void *child(void *argument)
{
    ASSERT_EQ(fsuid(), 2000);
    pthread_t other = spawn(grandchild, NULL);
    while (sem_wait(&go) != 0) {}
    ASSERT_EQ(fsuid(), 2000);
    setfsuid(3000);
    join(other);
    ASSERT_EQ(fsuid(), 3000);
    return argument;
}

static void *parent(void *argument)
{
    setfsuid(2000);
    pthread_t children[5];
    sem_init(&go, 0, 0);
    for (int i = 0; i < 5; i++) children[i] = spawn(child, NULL);
    setfsuid(0);
    for (int i = 0; i < 5; i++) join(children[i]);
    ASSERT_EQ(fsuid(), 0);
    return argument;
}

static void *plain(void *argument)
{
    ASSERT_EQ(fsuid(), 0);
    return argument;
}

int main(void)
{
    need_root();
    join(spawn(parent, NULL));
    join(spawn(plain, NULL));
    ASSERT_EQ(fsuid(), 0);
    return 0;
}
