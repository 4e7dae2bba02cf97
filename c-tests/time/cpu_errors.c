// Threads' CPU clocks: numbers of all kinds, those that name nobody, and what cannot be done with them.
#include "cpu.h"

static sem_t done;

static void *waits(void *id)
{
    *(pid_t *)id = my_tid();
    SYS(sem_post(&done));
    pause_for_ever(NULL);
    return NULL;
}

// What clock_nanosleep's system call gives, as libc looks at the clock itself.
static int sleep_by(clockid_t clock, const struct timespec *request)
{
    return syscall(SYS_clock_nanosleep, clock, 0, request, NULL) == 0 ? 0 : errno;
}

int main(void)
{
    SYS(sem_init(&done, 0, 0));
    pid_t id;
    pthread_t thread = spawn(waits, &id);
    SYS(sem_wait(&done));
    struct timespec time, none = {0, 0};
    for (int kind = 0; kind < 3; kind++) {
        SYS(clock_gettime(clock_number(id, kind), &time));
        SYS(clock_gettime(clock_number(0, kind), &time));
        SYS(clock_gettime(clock_number(getpid(), kind), &time));
        SYS(clock_getres(clock_number(id, kind), &time));
        SYS(clock_getres(clock_number(id, kind), NULL));
        FAILS(clock_settime(clock_number(id, kind), &none), EPERM);
    }
    ASSERT_EQ(clock_of(thread), clock_number(id, 2));
    SYS(clock_getres(clock_of(thread), &time));
    ASSERT_EQ(time.tv_nsec, 1);
    FAILS(clock_gettime(clock_number(id, 3), &time), EINVAL);
    // Init is a thread, too, of another process.
    FAILS(clock_gettime(clock_number(1, 2), &time), EINVAL);
    FAILS(clock_getres(clock_number(1, 2), &time), EINVAL);
    FAILS(clock_settime(clock_number(1, 2), &none), EINVAL);
    FAILS(clock_settime(CLOCK_THREAD_CPUTIME_ID, &none), EINVAL);
    FAILS(syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, 8), EFAULT);
    FAILS(syscall(SYS_clock_gettime, clock_of(thread), 8), EFAULT);
    FAILS(syscall(SYS_getrusage, RUSAGE_THREAD, 8), EFAULT);
    FAILS(syscall(SYS_getrusage, 17, &time), EINVAL);

    ASSERT_EQ(sleep_by(CLOCK_THREAD_CPUTIME_ID, &none), EOPNOTSUPP);
    ASSERT_EQ(sleep_by(clock_number(0, 2), &none), EINVAL);
    ASSERT_EQ(sleep_by(clock_of(pthread_self()), &none), EINVAL);
    ASSERT_EQ(sleep_by(clock_number(1, 2), &none), EINVAL);
    ASSERT_EQ(sleep_by(clock_of(thread), &none), 0);
    struct timespec bad = {0, NS_PER_S};
    ASSERT_EQ(sleep_by(clock_of(thread), &bad), EINVAL);
    return 0;
}
