// Threads that make a system call of their own, not libc's, for the first time when the kernel gives the program no more memory: what is in their vector registers is
// kept all the same, and all of them wait.
#include "address-space.h"

enum { THREADS = 1000 };

static int ends[2], go, waiting;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

// read(2) of one byte, with the vector registers full of what only this thread has. Gives the result, and what is in one afterwards.
static long reads(long fd, char *byte, unsigned long mine, unsigned long *kept)
{
    long result = SYS_read;
    __asm__ volatile("movq %[mine], %%xmm7\n\tsyscall\n\tmovq %%xmm7, %[kept]"
                     : "+a"(result), [kept] "=&r"(*kept)
                     : "D"(fd), "S"(byte), "d"(1L), [mine] "r"(mine)
                     : "rcx", "r11", "xmm7", "memory");
    return result;
}

// The same, in the upper half of a register, where the CPU has such.
__attribute__((target("avx"))) static long reads_upper(long fd, char *byte, unsigned long mine, unsigned long *kept)
{
    long result = SYS_read;
    __asm__ volatile("vmovq %[mine], %%xmm7\n\tvinsertf128 $1, %%xmm7, %%ymm7, %%ymm7\n\tsyscall\n\t"
                     "vextractf128 $1, %%ymm7, %%xmm7\n\tvmovq %%xmm7, %[kept]\n\tvzeroupper"
                     : "+a"(result), [kept] "=&r"(*kept)
                     : "D"(fd), "S"(byte), "d"(1L), [mine] "r"(mine)
                     : "rcx", "r11", "xmm7", "memory");
    return result;
}

static void *reader(void *number)
{
    OK(pthread_mutex_lock(&mutex));
    while (!go) OK(pthread_cond_wait(&cond, &mutex));
    waiting++;
    OK(pthread_mutex_unlock(&mutex));
    unsigned long mine = 0x100000000 + (unsigned long)number, kept = 0;
    char byte;
    __auto_type how = __builtin_cpu_supports("avx") ? reads_upper : reads;
    ASSERT_EQ(how(ends[0], &byte, mine, &kept), 1);
    ASSERT_EQ(kept, mine);
    return NULL;
}

int main(void)
{
    static pthread_t threads[THREADS];
    SYS(pipe(ends));
    for (long i = 0; i < THREADS; i++) threads[i] = spawn_small(reader, (void *)i);
    struct rlimit limit = {address_space(), RLIM_INFINITY};
    SYS(setrlimit(RLIMIT_AS, &limit));
    OK(pthread_mutex_lock(&mutex));
    go = 1;
    OK(pthread_cond_broadcast(&cond));
    OK(pthread_mutex_unlock(&mutex));
    for (int ready = 0; ready < THREADS; sched_yield()) {
        OK(pthread_mutex_lock(&mutex));
        ready = waiting;
        OK(pthread_mutex_unlock(&mutex));
    }
    until_others_wait();
    for (int i = 0; i < THREADS; i++) ASSERT_EQ(write(ends[1], "!", 1), 1);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
