// Random operations on a few words by several threads: what each gives, who is woken, and who still waits, is the same natively and preloaded.
// timeout: 120
//
// One process a seed; in every second one the words are in shared memory. Only one thing is under way at a time: who is told to wait is
// seen in the queue before the next operation (to move the waiters of a word to that word counts them), and who was woken has come back.
// So the order in every queue is known. `futexes SEED [COUNT]` runs one seed, and its first COUNT operations only.
#include "../futex/waitv.h"

enum { SEEDS = 12, OPERATIONS = 150, WORKERS = 6, WORDS = 4 };

enum what { WAIT, WAIT_BITS, WAIT_MANY, WAIT_BRIEFLY };
static const char *const names[] = {"wait", "wait_bitset", "waitv", "timed wait"};

struct worker {
    enum what what;
    int word, second, busy, waits;
    uint32_t value, second_value, bits;
    long result;
    int error;
    int at[2]; // the words in whose queues it is, or -1
    sem_t go;
    pthread_t thread;
};

static struct worker workers[WORKERS];
static uint32_t *words;
static int flag, operation;
static _Atomic int handled;
static uint64_t state;

static unsigned below(unsigned n)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(state >> 33) % n;
}

static void handler(int number)
{
    (void)number;
    handled++;
}

static long perform(struct worker *w)
{
    struct timespec brief = {.tv_nsec = 2 * NS_PER_MS};
    struct waitv_word list[2] = {waitv_word(&words[w->word], w->value, flag), waitv_word(&words[w->second], w->second_value, flag)};
    switch (w->what) {
    case WAIT: return futex(&words[w->word], FUTEX_WAIT | flag, w->value, NULL, NULL, 0);
    case WAIT_BITS: return futex(&words[w->word], FUTEX_WAIT_BITSET | flag, w->value, NULL, NULL, w->bits);
    case WAIT_MANY: return futex_waitv(list, 2, NULL);
    default: return futex(&words[w->word], FUTEX_WAIT | flag, w->value, &brief, NULL, 0);
    }
}

static void *work(void *argument)
{
    struct worker *w = argument;
    for (;;) {
        while (sem_wait(&w->go) == -1) continue;
        if (w->what == WAIT && w->word == -1) return NULL;
        errno = 0;
        w->result = perform(w);
        w->error = w->result == -1 ? errno : 0;
        __atomic_store_n(&w->busy, 0, __ATOMIC_RELEASE);
    }
}

static int is_back(struct worker *w)
{
    return __atomic_load_n(&w->busy, __ATOMIC_ACQUIRE) == 0;
}

static long waiting(int word)
{
    return futex(&words[word], FUTEX_REQUEUE | flag, 0, (void *)(intptr_t)INT_MAX, &words[word], 0);
}

static int expected(int word)
{
    int count = 0;
    for (int i = 0; i < WORKERS; i++)
        if (workers[i].waits) count += (workers[i].at[0] == word) + (workers[i].at[1] == word);
    return count;
}

static void gone(struct worker *w)
{
    w->waits = 0;
    printf("  %d: worker %d: %s gives %ld, error %d\n", operation, (int)(w - workers), names[w->what], w->result, w->error);
}

// Waits until so many have come back, and says which.
static void are_back(long count)
{
    long back;
    do {
        back = 0;
        for (int i = 0; i < WORKERS; i++) back += workers[i].waits && is_back(&workers[i]);
        if (back < count) sleep_ms(1);
    } while (back < count);
    for (int i = 0; i < WORKERS; i++)
        if (workers[i].waits && is_back(&workers[i])) gone(&workers[i]);
}

static void come_back(long count)
{
    are_back(count);
    for (int word = 0; word < WORDS; word++) UNTIL(waiting(word) == expected(word));
}

static void begin(struct worker *w)
{
    w->what = below(4);
    w->word = below(WORDS);
    w->second = (w->word + 1 + below(WORDS - 1)) % WORDS;
    w->bits = 1 + below(7);
    w->value = words[w->word] + (below(8) == 0);
    w->second_value = words[w->second];
    w->busy = w->waits = 1;
    w->at[0] = w->word;
    w->at[1] = w->what == WAIT_MANY ? w->second : -1;
    int goes_on = w->value == words[w->word] && w->what != WAIT_BRIEFLY;
    sem_post(&w->go);
    come_back(!goes_on);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int anybody_waits_on_two(void)
{
    for (int i = 0; i < WORKERS; i++)
        if (workers[i].waits && workers[i].at[1] != -1) return 1;
    return 0;
}

static void operate(void)
{
    int word = below(WORDS), other = (word + 1 + below(WORDS - 1)) % WORDS, count = below(4), most = below(4);
    uint32_t expects = words[word] + (below(6) == 0);
    long result;
    errno = 0;
    switch (below(7)) {
    case 0:
        result = futex(&words[word], FUTEX_WAKE | flag, count, NULL, NULL, 0);
        printf("%d: wake %d of %d: %ld\n", operation, count, word, result);
        return come_back(result);
    case 1: {
        uint32_t bits = 1 + below(7);
        result = futex(&words[word], FUTEX_WAKE_BITSET | flag, count, NULL, NULL, bits);
        printf("%d: wake %d of %d with %u: %ld\n", operation, count, word, bits, result);
        return come_back(result);
    }
    case 2:
    case 3: {
        // Where others wait already, the order is a matter of how the kernel's table is filled.
        int here = expected(word);
        if (expected(other) != 0 || anybody_waits_on_two()) return;
        result = futex(&words[word], FUTEX_CMP_REQUEUE | flag, count, (void *)(intptr_t)most, &words[other], expects);
        printf("%d: wake %d of %d, move %d to %d: %ld, error %d\n", operation, count, word, most, other, result, errno);
        if (result < 0) return;
        int woken = least(count, here), moved = least(here - woken, most);
        are_back(woken);
        ASSERT_EQ(waiting(other), moved);
        ASSERT_EQ(waiting(word), here - woken - moved);
        // Who was moved shows when all of them are woken.
        result = futex(&words[other], FUTEX_WAKE | flag, INT_MAX, NULL, NULL, 0);
        printf("  moved: %ld\n", result);
        return come_back(result);
    }
    case 4: {
        static const int operations[] = {FUTEX_OP_SET, FUTEX_OP_ADD, FUTEX_OP_OR, FUTEX_OP_ANDN, FUTEX_OP_XOR};
        // It might count such a one twice.
        if (anybody_waits_on_two()) return;
        int change = operations[below(5)], argument = (int)below(12) - 4, comparison = below(6), against = (int)below(6) - 2;
        if (below(4) == 0) change |= FUTEX_OP_OPARG_SHIFT, argument &= 31;
        int code = FUTEX_OP(change, argument, comparison, against);
        result = futex(&words[word], FUTEX_WAKE_OP | flag, count, (void *)(intptr_t)most, &words[other], code);
        printf("%d: wake %d of %d, wake_op %x of %d, %d: %ld, %u\n", operation, count, word, code, other, most, result, words[other]);
        return come_back(result);
    }
    case 5: {
        struct worker *w = &workers[below(WORKERS)];
        if (!w->waits) return;
        int restart = below(2), before = handled, on = w->at[0];
        // A wait that starts again compares again; with a changed word it ends.
        on_signal(SIGUSR1, handler, restart ? SA_RESTART : 0);
        printf("%d: signal to worker %d, %d\n", operation, (int)(w - workers), restart);
        OK(pthread_kill(w->thread, SIGUSR1));
        UNTIL(handled > before);
        int ends = !restart || words[on] != w->value || (w->at[1] != -1 && words[w->at[1]] != w->second_value);
        return come_back(ends);
    }
    default:
        words[word] += below(3);
        printf("%d: word %d is %u\n", operation, word, words[word]);
    }
}

static void run(unsigned seed, int count)
{
    state = seed * 7919 + 1;
    for (int i = 0; i < 4; i++) below(2);
    int kind = seed % 2 ? MAP_SHARED : MAP_PRIVATE;
    flag = seed % 2 ? 0 : FUTEX_PRIVATE_FLAG;
    words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
    ASSERT(words != MAP_FAILED);
    on_signal(SIGUSR1, handler, 0);
    for (int i = 0; i < WORKERS; i++) {
        SYS(sem_init(&workers[i].go, 0, 0));
        workers[i].thread = spawn(work, &workers[i]);
    }
    printf("seed %u\n", seed);
    for (operation = 0; operation < count; operation++) {
        struct worker *w = &workers[below(WORKERS)];
        if (!w->waits && below(2))
            begin(w);
        else
            operate();
    }
    for (int word = 0; word < WORDS; word++) {
        long result = futex(&words[word], FUTEX_WAKE | flag, INT_MAX, NULL, NULL, 0);
        printf("%d: at last %d: %ld\n", operation, word, result);
        come_back(result);
    }
    for (int i = 0; i < WORKERS; i++) {
        ASSERT(!workers[i].waits);
        workers[i].what = WAIT;
        workers[i].word = -1;
        sem_post(&workers[i].go);
        join(workers[i].thread);
    }
    exit(0);
}

int main(int count, char **arguments)
{
    waitv_needed();
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (count > 1) run((unsigned)atoi(arguments[1]), count > 2 ? atoi(arguments[2]) : OPERATIONS);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        fflush(stdout);
        pid_t child = SYS(fork());
        if (child == 0) run(seed, OPERATIONS);
        int status;
        ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
        if (status != 0) FAIL("seed %u ended with %#x", seed, status);
    }
    return 0;
}
