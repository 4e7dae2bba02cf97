// Random arguments to futex(2), good and bad, with nobody waiting: what it gives, and what it leaves in the words, is the same natively and
// preloaded. No call can wait: all time-outs are past, short or wrong.
//
// `futex_calls SEED [COUNT]` runs one seed.
#include "coop-test.h"

enum { SEEDS = 3, CALLS = 3000, WORDS = 5, PLACES = 11, VALUES = 8 };

static const char *const places[PLACES] = {"first", "second", "third", "shared", "second shared", "unaligned",
                                           "kernel", "null", "8", "nothing", "read-only"};
static uint32_t *words[WORDS];
static char *addresses[PLACES];
static uint32_t me;
static uint64_t state;

static unsigned below(unsigned n)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(state >> 33) % n;
}

static char *page(int protection, int kind)
{
    char *memory = mmap(NULL, 4096, protection, kind | MAP_ANONYMOUS, -1, 0);
    ASSERT(memory != MAP_FAILED);
    return memory;
}

// The caller's id is another one in each run.
static uint32_t shown(uint32_t value)
{
    return (value & FUTEX_TID_MASK) == me ? (value & ~FUTEX_TID_MASK) | 0xabcdef : value;
}

static void one(int number)
{
    const struct timespec times[] = {{0, 0}, {0, -1}, {0, 1000000000}, {-1, 0}, {1, 0}, {0, 1000}};
    const uint32_t values[VALUES] = {0, 0, 1, 2, ~0u, me, me | FUTEX_WAITERS, me | FUTEX_OWNER_DIED};
    unsigned operation = below(16), flags = below(4), place = below(PLACES), place2 = below(PLACES);
    // What there is of a page that was never written is the kernel's.
    if (flags % 2 == 0 && place == PLACES - 1) place = 0;
    if (flags % 2 == 0 && place2 == PLACES - 1) place2 = 0;
    unsigned value = below(VALUES), value3 = below(VALUES), time = below(7);
    int takes_time = (1 << operation & (1 << FUTEX_WAIT | 1 << FUTEX_LOCK_PI | 1 << FUTEX_WAIT_BITSET | 1 << FUTEX_WAIT_REQUEUE_PI | 1 << FUTEX_LOCK_PI2)) != 0;
    // There it says what is done to a word.
    if (operation == FUTEX_WAKE_OP) value3 %= 5;
    // A second from now is too long.
    if (operation == FUTEX_WAIT && time == 4) time = 0;
    const void *fourth = takes_time ? (time == 6 ? (void *)8 : &times[time]) : (void *)(intptr_t)((int)time - 1);
    // A lock that inherits priorities names its owner, and other numbers might be somebody's.
    int is_pi = (operation >= FUTEX_LOCK_PI && operation <= FUTEX_TRYLOCK_PI) || operation >= FUTEX_WAIT_REQUEUE_PI;
    for (int i = 0; i < WORDS; i++) *words[i] = values[below(VALUES)];
    for (int i = 0; i < WORDS && is_pi; i++)
        if ((*words[i] & FUTEX_TID_MASK) != me) *words[i] = 0;
    uint32_t before[WORDS];
    for (int i = 0; i < WORDS; i++) before[i] = *words[i];
    errno = 0;
    long result = syscall(SYS_futex, addresses[place], operation | flags << 7, values[value], fourth, addresses[place2], values[value3]);
    printf("%d: operation %u, flags %u, %s, value %u, fourth %u, %s, value3 %u: %ld, error %d", number, operation, flags, places[place],
           value, time, places[place2], value3, result, result < 0 ? errno : 0);
    for (int i = 0; i < WORDS; i++)
        if (*words[i] != before[i]) printf("; %s %x -> %x", places[i], shown(before[i]), shown(*words[i]));
    printf("\n");
}

static void prepare(void)
{
    me = (uint32_t)my_tid();
    char *own = page(PROT_READ | PROT_WRITE, MAP_PRIVATE), *shared = page(PROT_READ | PROT_WRITE, MAP_SHARED);
    char *all[PLACES] = {own, own + 4, own + 64, shared, shared + 4, own + 1,
                         (char *)0xffff800000000000, NULL, (char *)8, page(PROT_NONE, MAP_PRIVATE), page(PROT_READ, MAP_PRIVATE)};
    memcpy(addresses, all, sizeof all);
    for (int i = 0; i < WORDS; i++) words[i] = (uint32_t *)all[i];
}

static void *calls(void *argument)
{
    prepare();
    for (int i = 0; i < (int)(intptr_t)argument; i++) one(i);
    return NULL;
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (count > 1) {
        state = (uint64_t)atoi(arguments[1]);
        join(spawn(calls, (void *)(intptr_t)(count > 2 ? atoi(arguments[2]) : CALLS)));
        return 0;
    }
    for (int seed = 1; seed <= SEEDS; seed++) {
        printf("seed %d\n", seed);
        state = (uint64_t)seed;
        join(spawn(calls, (void *)(intptr_t)CALLS));
    }
    return 0;
}
