// Threads do all kinds of things at the same time, in random order: lock, wait, time out, make and cancel threads, fork, spawn, fault, switch stacks, and
// are sent signals all the while. What must hold of each deed alone holds, nothing is lost, and it ends.
// timeout: 120
#include "seeds.h"
#include <aio.h>
#include <mqueue.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <ucontext.h>

extern char **environ;

enum { SEEDS = 2, PAGE = 4096, LINE = 32 };
static int deeds = 150, workers = 12;

struct worker {
    uint64_t state;
    int number, faults;
    atomic_int sent, handled;
    pthread_t thread;
    sigjmp_buf back;
};

static struct worker all[MOST_THREADS];
static __thread struct worker *me;
// Signals are the workers' own matter: threads that they make have none.
static sigset_t ours;
static atomic_int sent, handled, lines, appended;
static int everybodys_file;

static unsigned below(unsigned n)
{
    return next_below(&me->state, n);
}

static pthread_t make(void *(*body)(void *), void *argument)
{
    sigset_t before;
    OK(pthread_sigmask(SIG_BLOCK, &ours, &before));
    pthread_t thread = spawn(body, argument);
    OK(pthread_sigmask(SIG_SETMASK, &before, NULL));
    return thread;
}

// ---- signals

static void on_own(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    struct worker *worker = info->si_value.sival_ptr;
    ASSERT(pthread_equal(pthread_self(), worker->thread));
    worker->handled++;
}

static void on_everybodys(int number)
{
    (void)number;
    handled++;
}

static void on_fault(int number)
{
    if (me && me->faults) siglongjmp(me->back, 1);
    on_signal(number, SIG_DFL, 0);
}

static void times_out(void);

static void signals_a_worker(void)
{
    struct worker *other = &all[below(workers)];
    if (pthread_sigqueue(other->thread, SIGRTMIN, (union sigval){.sival_ptr = other}) == 0) other->sent++;
}

static void signals_the_process(void)
{
    if (sigqueue(getpid(), SIGRTMIN + 1, (union sigval){0}) == 0) sent++;
}

static void faults(void)
{
    char *page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(page != MAP_FAILED);
    if (sigsetjmp(me->back, 1) == 0) {
        me->faults = 1;
        *(volatile char *)page = 1;
        FAIL("no fault");
    }
    me->faults = 0;
    SYS(munmap(page, PAGE));
}

static sem_t timed[MOST_THREADS];

static void on_timer(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    SYS(sem_post(&timed[info->si_value.sival_int]));
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) == -1) ASSERT_EQ(errno, EINTR);
}

static void waits_for_a_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2, .sigev_value = {.sival_int = me->number}};
    if (below(2)) {
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_notify_thread_id = my_tid();
    }
    timer_t timer;
    SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec soon = {.it_value = to_timespec(1 + below(2 * NS_PER_MS))};
    SYS(timer_settime(timer, 0, &soon, NULL));
    wait_for(&timed[me->number]);
    SYS(timer_delete(timer));
}

static void *awaits_signals(void *unused)
{
    sigset_t set = signal_set(SIGRTMIN + 3);
    int number;
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    SYS(pthread_kill(pthread_self(), SIGRTMIN + 3));
    OK(sigwait(&set, &number));
    ASSERT_EQ(number, SIGRTMIN + 3);
    SYS(pthread_kill(pthread_self(), SIGRTMIN + 3));
    int fd = SYS(signalfd(-1, &set, SFD_CLOEXEC));
    struct signalfd_siginfo info;
    ASSERT_EQ(SYS(read(fd, &info, sizeof info)), sizeof info);
    ASSERT_EQ(info.ssi_signo, SIGRTMIN + 3);
    SYS(close(fd));
    return unused;
}

static void awaits_a_signal(void)
{
    join(make(awaits_signals, NULL));
}

// Signals wait while they are blocked, and one ends a wait that lets it through.
static void suspends(void)
{
    sigset_t before, but_own;
    OK(pthread_sigmask(SIG_BLOCK, &ours, &before));
    int seen = me->handled;
    if (me != &all[me->number]) {
        // Nobody signals this one: a timer does.
        ASSERT_EQ(seen, 0);
    } else if (pthread_sigqueue(me->thread, SIGRTMIN, (union sigval){.sival_ptr = me}) == 0) {
        me->sent++;
        if (below(2)) times_out();
        ASSERT_EQ(me->handled, seen);
        but_own = ours;
        sigdelset(&but_own, SIGRTMIN);
        FAILS(sigsuspend(&but_own), EINTR);
        ASSERT_GT(me->handled, seen);
    }
    OK(pthread_sigmask(SIG_SETMASK, &before, NULL));
}

static void tells_by_thread(union sigval value)
{
    SYS(sem_post(&timed[value.sival_int]));
}

static void waits_for_a_timers_thread(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value = {.sival_int = me->number}, .sigev_notify_function = tells_by_thread};
    timer_t timer;
    SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec soon = {.it_value = to_timespec(1 + below(NS_PER_MS))};
    SYS(timer_settime(timer, 0, &soon, NULL));
    wait_for(&timed[me->number]);
    SYS(timer_delete(timer));
}

// ---- locks

static pthread_mutex_t mutexes[5];
static long counts[5], done[5];

static void counts_up(void)
{
    int which = below(5);
    OK(pthread_mutex_lock(&mutexes[which]));
    long count = counts[which];
    if (below(3) == 0) sched_yield();
    if (below(10) == 0) usleep(100);
    counts[which] = count + 1;
    OK(pthread_mutex_unlock(&mutexes[which]));
    __atomic_fetch_add(&done[which], 1, __ATOMIC_SEQ_CST);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long first, second;

static void reads_or_writes(void)
{
    if (below(4)) {
        OK(pthread_rwlock_rdlock(&rwlock));
        long seen = first;
        if (below(3) == 0) sched_yield();
        ASSERT_EQ(second, seen);
    } else {
        OK(pthread_rwlock_wrlock(&rwlock));
        first++;
        if (below(3) == 0) sched_yield();
        second++;
    }
    OK(pthread_rwlock_unlock(&rwlock));
}

enum { TOKENS = 3 };
static sem_t tokens;
static atomic_int taken;

static void takes_a_token(void)
{
    wait_for(&tokens);
    ASSERT_LE(++taken, TOKENS);
    if (below(2)) sched_yield();
    taken--;
    SYS(sem_post(&tokens));
}

enum { ROOM = 4 };
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static int queued;

static void puts_and_takes(void)
{
    OK(pthread_mutex_lock(&queue_lock));
    while (queued == ROOM) OK(pthread_cond_wait(&not_full, &queue_lock));
    queued++;
    OK(pthread_cond_signal(&not_empty));
    OK(pthread_mutex_unlock(&queue_lock));
    if (below(2)) sched_yield();
    OK(pthread_mutex_lock(&queue_lock));
    while (queued == 0) OK(pthread_cond_wait(&not_empty, &queue_lock));
    queued--;
    OK(pthread_cond_signal(&not_full));
    OK(pthread_mutex_unlock(&queue_lock));
}

struct shared {
    pthread_mutex_t mutex;
    sem_t semaphore;
};

static struct shared *share(void)
{
    struct shared *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(shared != MAP_FAILED);
    pthread_mutexattr_t attributes;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    OK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    OK(pthread_mutex_init(&shared->mutex, &attributes));
    SYS(sem_init(&shared->semaphore, 1, 0));
    return shared;
}

static void *dies_with_lock(void *mutex)
{
    OK(pthread_mutex_lock(mutex));
    return NULL;
}

static void inherits_a_lock(void)
{
    struct shared *shared = share();
    if (below(2)) {
        pid_t pid = SYS(fork());
        if (pid == 0) {
            dies_with_lock(&shared->mutex);
            SYS(sem_post(&shared->semaphore));
            _exit(0);
        }
        wait_for(&shared->semaphore);
        GIVES(pthread_mutex_lock(&shared->mutex), EOWNERDEAD);
        ASSERT_EQ(finish(pid), 0);
    } else {
        join(make(dies_with_lock, &shared->mutex));
        GIVES(pthread_mutex_lock(&shared->mutex), EOWNERDEAD);
    }
    OK(pthread_mutex_consistent(&shared->mutex));
    OK(pthread_mutex_unlock(&shared->mutex));
    SYS(munmap(shared, PAGE));
}

// ---- time

static void times_out(void)
{
    int64_t wait = 1 + below(2 * NS_PER_MS), start = now_ns(CLOCK_MONOTONIC);
    struct timespec time = to_timespec(wait), end = to_timespec(start + wait), late = to_timespec(now_ns(CLOCK_REALTIME) + wait);
    int result;
    sem_t semaphore;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    switch (below(5)) {
    case 0:
        while (nanosleep(&time, &time) == -1) ASSERT_EQ(errno, EINTR);
        break;
    case 1:
        while ((result = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL)) != 0) ASSERT_EQ(result, EINTR);
        break;
    case 2:
        OK(pthread_mutex_lock(&mutex));
        while ((result = pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &end)) == 0) {}
        ASSERT_EQ(result, ETIMEDOUT);
        OK(pthread_mutex_unlock(&mutex));
        break;
    case 3:
        SYS(sem_init(&semaphore, 0, 0));
        while (sem_timedwait(&semaphore, &late) == -1 && errno == EINTR) {}
        ASSERT_EQ(errno, ETIMEDOUT);
        break;
    default:
        if (ppoll(NULL, 0, &time, NULL) == -1) {
            ASSERT_EQ(errno, EINTR);
            return;
        }
    }
    ASSERT_GE(now_ns(CLOCK_MONOTONIC) - start, wait - NS_PER_MS / 10);
}

static void computes(void)
{
    int64_t end = now_ns(CLOCK_MONOTONIC) + below(NS_PER_MS);
    while (now_ns(CLOCK_MONOTONIC) < end)
        for (volatile int i = 0; i < 1000; i++) {}
}

// ---- threads

static void *gives_back(void *argument)
{
    return argument;
}

static void makes_a_thread(void)
{
    ASSERT_PTR(join(make(gives_back, me)), me);
}

static pthread_key_t key;
static atomic_int destroyed;

static void on_destroy(void *value)
{
    ASSERT_PTR(value, &key);
    destroyed++;
}

static void *has_a_key(void *unused)
{
    (void)unused;
    OK(pthread_setspecific(key, &key));
    pthread_exit(&key);
}

static void makes_a_thread_that_exits(void)
{
    pthread_t thread = make(has_a_key, NULL);
    void *result;
    int error;
    do {
        struct timespec soon = in_ms(CLOCK_REALTIME, 1);
        error = pthread_timedjoin_np(thread, &result, &soon);
    } while (error == ETIMEDOUT);
    OK(error);
    ASSERT_PTR(result, &key);
    destroyed--;
}

static sem_t detached_ended;

static void *ends_detached(void *unused)
{
    SYS(sem_post(&detached_ended));
    return unused;
}

static void makes_a_detached_thread(void)
{
    OK(pthread_detach(make(ends_detached, NULL)));
    wait_for(&detached_ended);
}

static int never[2];

static void unlock(void *mutex)
{
    OK(pthread_mutex_unlock(mutex));
}

static void *waits_for_ever(void *how)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    struct pollfd poll_for = {.fd = never[0], .events = POLLIN};
    sem_t semaphore;
    char byte;
    SYS(sem_init(&semaphore, 0, 0));
    for (;;) {
        switch ((long)how) {
        case 0:
            SYS(read(never[0], &byte, 1));
            break;
        case 1:
            OK(pthread_mutex_lock(&mutex));
            pthread_cleanup_push(unlock, &mutex);
            OK(pthread_cond_wait(&cond, &mutex));
            pthread_cleanup_pop(1);
            break;
        case 2:
            SYS(sem_wait(&semaphore));
            break;
        case 3:
            pause();
            break;
        case 4:
            sleep(1000);
            break;
        case 5:
            SYS(poll(&poll_for, 1, -1));
            break;
        case 6:
            SYS(waitpid(getpid(), NULL, 0) == -1 && errno == ECHILD ? 0 : -1);
            pthread_testcancel();
            break;
        default:
            OK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
            for (;;) {}
        }
    }
}

static void cancels_a_thread(void)
{
    pthread_t thread = make(waits_for_ever, (void *)(long)below(8));
    if (below(2)) usleep(below(300));
    OK(pthread_cancel(thread));
    ASSERT_PTR(join(thread), PTHREAD_CANCELED);
}

static void deeds_of(struct worker *worker, int count);

// On an OS thread of its own, where the library carries many calls out itself.
static void *goes_apart(void *argument)
{
    struct worker *maker = argument;
    OK(pthread_sigmask(SIG_UNBLOCK, &ours, NULL));
    SYS(unshare(CLONE_FS));
    struct worker *self = calloc(1, sizeof *self);
    self->state = maker->state;
    self->number = maker->number;
    deeds_of(self, 5);
    free(self);
    return NULL;
}

static void makes_a_thread_apart(void)
{
    // One level of these only.
    if (me != &all[me->number]) return;
    join(make(goes_apart, me));
    below(2);
}

// ---- processes

static void forks(void)
{
    pid_t pid = SYS(fork());
    if (pid == 0) {
        if (below(2)) ASSERT_PTR(join(make(gives_back, me)), me);
        _exit(7);
    }
    ASSERT_EQ(finish(pid), 7);
}

static void vforks(void)
{
    pid_t pid = vfork();
    if (pid == 0) _exit(7);
    ASSERT_EQ(finish(SYS(pid)), 7);
}

static void clones(void)
{
    pid_t pid = SYS(syscall(SYS_clone, CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL));
    if (pid == 0) _exit(7);
    siginfo_t info;
    while (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == -1) ASSERT_EQ(errno, EINTR);
    ASSERT_EQ(info.si_status, 7);
    ASSERT_EQ(finish(pid), 7);
}

static void spawns(void)
{
    char *arguments[] = {"sh", "-c", "exit 7", NULL};
    pid_t pid;
    if (below(4)) {
        GIVES(posix_spawn(&pid, "/nothing/there", NULL, NULL, arguments, environ), ENOENT);
        return;
    }
    OK(posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, environ));
    ASSERT_EQ(finish(pid), 7);
}

static void fails_to_exec(void)
{
    char *arguments[] = {"nothing", NULL};
    FAILS(execve("/nothing/there", arguments, environ), ENOENT);
}

// ---- descriptors

static int ring[2], pair[2];

static void passes_bytes(void)
{
    char byte = 1;
    int *ends = below(2) ? ring : pair;
    write_all(ends[1], &byte, 1);
    if (below(2)) sched_yield();
    ASSERT_EQ(read_all(ends[0], &byte, 1), 1);
}

static void polls(void)
{
    int fd = SYS(eventfd(0, EFD_CLOEXEC)), set = SYS(epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 5};
    SYS(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
    int result = epoll_wait(set, &event, 1, below(2));
    if (result == -1) ASSERT_EQ(errno, EINTR);
    else ASSERT_EQ(result, 0);
    SYS(eventfd_write(fd, 3));
    while ((result = epoll_wait(set, &event, 1, -1)) == -1) ASSERT_EQ(errno, EINTR);
    ASSERT_EQ(event.data.u64, 5);
    eventfd_t value;
    SYS(eventfd_read(fd, &value));
    ASSERT_EQ(value, 3);
    SYS(close(set));
    SYS(close(fd));
}

static void *writes_later(void *fd)
{
    write_all((int)(long)fd, "x", 1);
    SYS(close((int)(long)fd));
    return NULL;
}

static void connects(void)
{
    int ends[2];
    char byte;
    SYS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    pthread_t thread = make(writes_later, (void *)(long)ends[1]);
    ASSERT_EQ(read_all(ends[0], &byte, 1), 1);
    ASSERT_EQ(read_all(ends[0], &byte, 1), 0);
    join(thread);
    SYS(close(ends[0]));
}

static void appends(void)
{
    char line[LINE + 1];
    snprintf(line, sizeof line, "%-*d\n", LINE - 1, me->number);
    write_all(everybodys_file, line, LINE);
    appended++;
    if (below(20) == 0) SYS(fdatasync(everybodys_file));
}

static void waits_for_time(void)
{
    int fd = SYS(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    struct itimerspec soon = {.it_value = to_timespec(1 + below(NS_PER_MS))};
    SYS(timerfd_settime(fd, 0, &soon, NULL));
    uint64_t count;
    ASSERT_EQ(SYS(read(fd, &count, sizeof count)), sizeof count);
    ASSERT_EQ(count, 1);
    SYS(close(fd));
}

static void reads_apart(void)
{
    char bytes[64];
    struct aiocb request = {.aio_fildes = everybodys_file, .aio_buf = bytes, .aio_nbytes = 0};
    SYS(aio_write(&request));
    const struct aiocb *list[] = {&request};
    while (aio_error(&request) == EINPROGRESS)
        if (aio_suspend(list, 1, NULL) == -1) ASSERT_EQ(errno, EINTR);
    ASSERT_EQ(aio_return(&request), 0);
}

static mqd_t messages;

static void sends_and_receives(void)
{
    char message[8];
    while (mq_send(messages, "message", 8, below(4)) == -1) ASSERT_EQ(errno, EINTR);
    ssize_t size;
    while ((size = mq_receive(messages, message, sizeof message, NULL)) == -1) ASSERT_EQ(errno, EINTR);
    ASSERT_EQ(size, 8);
}

static FILE *stream;

static void prints(void)
{
    ASSERT_EQ(fprintf(stream, "%-*d\n", LINE - 1, me->number), LINE);
    lines++;
    if (below(4) == 0) ASSERT_EQ(fflush(stream), 0);
}

static void locks_a_file(void)
{
    int fd = SYS(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    while (flock(fd, LOCK_EX) == -1) ASSERT_EQ(errno, EINTR);
    if (below(2)) sched_yield();
    SYS(close(fd));
}

// ---- memory and stacks

static void allocates(void)
{
    char *blocks[16];
    for (int i = 0; i < 16; i++) {
        size_t size = 1 + below(i == 0 ? 1 << 20 : 4096);
        ASSERT(blocks[i] = malloc(size));
        memset(blocks[i], i, size);
    }
    for (int i = 0; i < 16; i++) {
        ASSERT_EQ(*blocks[i], i);
        free(blocks[i]);
    }
}

static __thread ucontext_t outside, inside;

static void switches_back(void)
{
    usleep(50);
    swapcontext(&inside, &outside);
    sched_yield();
}

static void switches_stacks(void)
{
    enum { STACK = 64 << 10 };
    char *stack = malloc(STACK);
    SYS(getcontext(&inside));
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = STACK;
    inside.uc_link = &outside;
    makecontext(&inside, switches_back, 0);
    SYS(swapcontext(&outside, &inside));
    SYS(swapcontext(&outside, &inside));
    free(stack);
}

static void (*const all_deeds[])(void) = {
    signals_a_worker, signals_a_worker, signals_the_process, faults, waits_for_a_timer, waits_for_a_timers_thread, awaits_a_signal, suspends,
    counts_up, counts_up, counts_up, reads_or_writes, reads_or_writes, takes_a_token, puts_and_takes, inherits_a_lock,
    times_out, times_out, computes,
    makes_a_thread, makes_a_thread_that_exits, makes_a_detached_thread, cancels_a_thread, makes_a_thread_apart,
    forks, vforks, clones, spawns, fails_to_exec,
    passes_bytes, passes_bytes, polls, connects, waits_for_time, reads_apart, sends_and_receives, appends, prints, locks_a_file,
    allocates, switches_stacks,
};

static void deeds_of(struct worker *worker, int count)
{
    me = worker;
    for (int i = 0; i < count; i++) all_deeds[below(sizeof all_deeds / sizeof *all_deeds)]();
}

static pthread_barrier_t all_known, all_done;

static void *works(void *argument)
{
    struct worker *worker = argument;
    pthread_barrier_wait(&all_known);
    deeds_of(worker, deeds);
    // Nobody sends it anything any more.
    pthread_barrier_wait(&all_done);
    UNTIL(worker->handled == worker->sent);
    return NULL;
}

static void check_lines(const char *path, int wanted)
{
    FILE *file = fopen(path, "r");
    ASSERT(file);
    char line[2 * LINE];
    int found = 0;
    while (fgets(line, sizeof line, file)) {
        ASSERT_EQ(strlen(line), LINE);
        found++;
    }
    fclose(file);
    ASSERT_EQ(found, wanted);
}

static int run(uint64_t seed)
{
    sigemptyset(&ours);
    for (int i = 0; i < 3; i++) sigaddset(&ours, SIGRTMIN + i);
    char one[] = "/tmp/threads-one-XXXXXX", two[] = "/tmp/threads-two-XXXXXX";
    SYS(close(SYS(mkstemp(one))));
    SYS(close(SYS(mkstemp(two))));
    everybodys_file = SYS(open(one, O_WRONLY | O_APPEND | O_CLOEXEC));
    ASSERT(stream = fopen(two, "we"));
    SYS(pipe2(ring, O_CLOEXEC));
    SYS(pipe2(never, O_CLOEXEC));
    SYS(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    OK(pthread_key_create(&key, on_destroy));
    char queue[32];
    snprintf(queue, sizeof queue, "/threads-%d", getpid());
    messages = SYS(mq_open(queue, O_RDWR | O_CREAT | O_EXCL, 0600, &(struct mq_attr){.mq_maxmsg = 4, .mq_msgsize = 8}));
    SYS(mq_unlink(queue));
    SYS(sem_init(&tokens, 0, TOKENS));
    SYS(sem_init(&detached_ended, 0, 0));
    static const int kinds[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ADAPTIVE_NP};
    for (int i = 0; i < 5; i++) {
        pthread_mutexattr_t attributes;
        OK(pthread_mutexattr_init(&attributes));
        if (i < 4) OK(pthread_mutexattr_settype(&attributes, kinds[i]));
        else OK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
        OK(pthread_mutex_init(&mutexes[i], &attributes));
    }
    struct sigaction own = {.sa_sigaction = on_own, .sa_flags = SA_SIGINFO | SA_RESTART};
    SYS(sigaction(SIGRTMIN, &own, NULL));
    own.sa_sigaction = on_timer;
    SYS(sigaction(SIGRTMIN + 2, &own, NULL));
    on_signal(SIGRTMIN + 1, on_everybodys, SA_RESTART);
    on_signal(SIGSEGV, on_fault, 0);
    for (int i = 0; i < workers; i++) {
        SYS(sem_init(&timed[i], 0, 0));
        all[i].number = i;
        all[i].state = seed * 1000 + i;
    }
    OK(pthread_barrier_init(&all_known, NULL, workers + 1));
    OK(pthread_barrier_init(&all_done, NULL, workers));
    for (int i = 0; i < workers; i++) all[i].thread = spawn(works, &all[i]);
    pthread_barrier_wait(&all_known);
    for (int i = 0; i < workers; i++) join(all[i].thread);
    UNTIL(handled == sent);
    for (int i = 0; i < workers; i++) ASSERT_EQ(all[i].handled, all[i].sent);
    for (int i = 0; i < 5; i++) ASSERT_EQ(counts[i], done[i]);
    ASSERT_EQ(first, second);
    ASSERT_EQ(queued, 0);
    ASSERT_EQ(destroyed, 0);
    ASSERT_EQ(fclose(stream), 0);
    check_lines(one, appended);
    check_lines(two, lines);
    SYS(unlink(one));
    SYS(unlink(two));
    FAILS(waitpid(-1, NULL, WNOHANG), ECHILD);
    return 0;
}

int main(int argc, char **argv)
{
    return run_seeds(argc, argv, SEEDS, run, &deeds, &workers);
}
