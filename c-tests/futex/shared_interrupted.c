// A signal ends a wait on a word in shared memory with EINTR, after SA_RESTART only one that has a time-out; futex_waitv and futex_wait
// go on after SA_RESTART whatever they have.
#include "waitv.h"

static uint32_t *word;
static _Atomic int handled, done;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *timed(void *unused)
{
    (void)unused;
    struct timespec minute = {.tv_sec = 60}, until = in_ms(CLOCK_MONOTONIC, 60000);
    FAILS(futex(word, FUTEX_WAIT, 0, &minute, NULL, 0), EINTR);
    done++;
    FAILS(futex(word, FUTEX_WAIT_BITSET, 0, &until, NULL, 4), EINTR);
    done++;
    return NULL;
}

static void *one(void *unused)
{
    (void)unused;
    ASSERT_EQ(futex(word, FUTEX_WAIT, 0, NULL, NULL, 0), 0);
    return NULL;
}

static void *many(void *unused)
{
    (void)unused;
    struct waitv_word list[2] = {waitv_word(word, 0, 0), waitv_word(word + 1, 0, 0)};
    struct timespec until = in_ms(CLOCK_MONOTONIC, 60000);
    ASSERT_EQ(futex_waitv(list, 2, &until), 0);
    return NULL;
}

static void *second_kind(void *unused)
{
    (void)unused;
    struct timespec until = in_ms(CLOCK_MONOTONIC, 60000);
    long result = syscall(455, word, 0, ~0u, WAITV_U32, &until, CLOCK_MONOTONIC);
    ASSERT(result == 0 || errno == ENOSYS);
    return (void *)result;
}

// Signals come, and the wait goes on.
static void goes_on(void *(*body)(void *))
{
    pthread_t thread = spawn(body, NULL);
    let_others_block();
    for (int i = 0; i < 3; i++) {
        int before = handled;
        int error = pthread_kill(thread, SIGUSR1);
        if (error != 0) break; // no such call
        UNTIL(handled > before || pthread_kill(thread, 0) != 0);
    }
    while (futex(word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0) {
        if (pthread_tryjoin_np(thread, NULL) == 0) return;
        sleep_ms(1);
    }
    join(thread);
}

int main(void)
{
    waitv_needed();
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(word != MAP_FAILED);
    on_signal(SIGUSR1, handler, SA_RESTART);
    pthread_t thread = spawn(timed, NULL);
    while (done < 2) {
        pthread_kill(thread, SIGUSR1);
        sleep_ms(2);
    }
    join(thread);
    goes_on(one);
    goes_on(many);
    goes_on(second_kind);
    return 0;
}
