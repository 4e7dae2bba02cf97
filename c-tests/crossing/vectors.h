// Shared by the vector register tests: a syscall with every vector register loaded before and stored after.
//
// Each width has an assembly routine over_WIDTH(state, call): loads all registers from state, makes the
// syscall call[0] with the arguments call[1..4], stores the registers back and returns its result.
#ifndef VECTORS_H
#define VECTORS_H

#include "coop-test.h"

#define LOAD_CALL                                                                     \
    "    mov 0(%rsi), %rax; mov 8(%rsi), %rdi; mov 24(%rsi), %rdx; mov 32(%rsi), %r10\n" \
    "    mov 16(%rsi), %rsi\n"                                                           \
    "    syscall\n"                                                                      \
    "    mov %rbx, %rdi\n"

#define ROUTINE(name, load, store)                              \
    __asm__(".text\n" #name ":\n"                               \
            "    .cfi_startproc\n"                             \
            "    push %rbx\n"                                   \
            "    mov %rdi, %rbx\n" load LOAD_CALL store         \
            "    pop %rbx\n"                                    \
            "    ret\n"                                         \
            "    .cfi_endproc\n");                              \
    long name(unsigned char *state, const long call[5])

typedef long over(unsigned char *state, const long call[5]);

static over *vectors_over;
static size_t vectors_size;
static uint32_t vectors_word;

static void vectors_kept(const long call[5], long result, int seed)
{
    unsigned char before[4096], after[4096];
    ASSERT_LE(vectors_size, sizeof before);
    for (size_t i = 0; i < vectors_size; i++) before[i] = after[i] = pattern(i * 7 + seed);
    ASSERT_EQ(vectors_over(after, call), result);
    for (size_t i = 0; i < vectors_size; i++)
        if (after[i] != before[i]) FAIL("byte %zu of %zu: %d became %d", i, vectors_size, before[i], after[i]);
}

static void *vectors_wait(void *unused)
{
    (void)unused;
    const long call[5] = {SYS_futex, (long)&vectors_word, FUTEX_WAIT_PRIVATE, 0, 0};
    vectors_kept(call, 0, 3);
    return NULL;
}

static void *vectors_scribble(void *unused)
{
    (void)unused;
    const long nothing[5] = {SYS_getppid};
    do {
        vectors_kept(nothing, getppid(), 99);
        sleep_ms(2);
    } while (futex(&vectors_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0);
    return NULL;
}

// Reads of a file, cached by then: hundreds, as how such a read is made may change with their number.
static void *vectors_read(void *unused)
{
    (void)unused;
    static char block[4096];
    int fd = SYS(memfd_create("cached", 0)), disk = SYS(open("cached", O_RDWR | O_CREAT | O_TRUNC, 0600));
    write_all(fd, block, sizeof block);
    write_all(disk, block, sizeof block);
    for (int i = 0; i < 300; i++) {
        const long memory[5] = {SYS_pread64, fd, (long)block, sizeof block, 0};
        const long file[5] = {SYS_pread64, disk, (long)block, sizeof block, 0};
        vectors_kept(memory, sizeof block, i);
        vectors_kept(file, sizeof block, i);
    }
    SYS(close(fd));
    SYS(close(disk));
    return NULL;
}

// Calls that return at once before and after there are threads, and calls that wait while others use the registers.
static inline void vectors_survive(over *routine, size_t size)
{
    const long at_once[5] = {SYS_getpid};
    vectors_over = routine;
    vectors_size = size;
    vectors_kept(at_once, getpid(), 1);
    for (int i = 0; i < 5; i++) {
        pthread_t waiter = spawn(vectors_wait, NULL), other = spawn(vectors_scribble, NULL);
        vectors_kept(at_once, getpid(), 2);
        join(waiter);
        join(other);
    }
    join(spawn(vectors_read, NULL));
}

#endif
