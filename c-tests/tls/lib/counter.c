// A library with a thread-local counter.
__thread int counter = 100;

int count(void)
{
    return ++counter;
}

int *where(void)
{
    return &counter;
}
