// A signal storm: 10,000 queued signals a second of five kinds to a process of 1,000 threads that do I/O. None is lost or doubled.
//
//     signal_storm SECONDS [for]
//
// Sends what 10,000 a second make in so many seconds, however long it takes; or, with "for", stops after that time, however many there were.
// The kinds: for the process, to a handler in whichever thread; for one thread, to its handler; for the process, read from a signalfd; for the
// process, taken by one of several threads in sigwaitinfo; and a timer's, whose expirations are counted by their overruns.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 1000
#define PER_MS 10
#define KINDS 4
#define HANDLED (SIGRTMIN + 1)
#define DIRECTED (SIGRTMIN + 2)
#define BY_FD (SIGRTMIN + 3)
#define WAITED (SIGRTMIN + 4)
#define TICK (SIGRTMIN + 5)

static _Atomic unsigned char *seen[KINDS];
static _Atomic long taken[KINDS], ticks, exchanged;
// How many of each kind were sent: by the child and by a thread.
static _Atomic long *sent;
static int for_a_time;
static struct timespec last;
static _Atomic int stop;
static int pairs[THREADS / 2][2];
static pthread_t threads[THREADS];
static long each;

static void die(const char *what)
{
    fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static int time_is_up(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return for_a_time && (now.tv_sec > last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec >= last.tv_nsec));
}

static void note(int kind, int value)
{
    if (value < 0 || value >= each || seen[kind][value]++) {
        fprintf(stderr, "storm: kind %d: number %d came twice or was never sent\n", kind, value);
        _exit(1);
    }
    taken[kind]++;
}

static void handler(int number, siginfo_t *info, void *context)
{
    int error = errno;
    (void)context;
    note(number == HANDLED ? 0 : 1, info->si_value.sival_int);
    errno = error;
}

// Half of the threads send a byte now and then and wait for it to come back.
static void *talk(void *argument)
{
    long me = (long)argument;
    int fd = pairs[me / 2][me % 2];
    char byte = (char)me, back;
    while (me % 2 == 0 && !stop) {
        if (write(fd, &byte, 1) != 1) die("write");
        if (read(fd, &back, 1) != 1 || back != byte) die("read");
        exchanged++;
        poll(NULL, 0, 20);
    }
    if (me % 2 == 0) shutdown(fd, SHUT_WR);
    while (me % 2 && read(fd, &byte, 1) == 1)
        if (write(fd, &byte, 1) != 1) die("write back");
    return NULL;
}

static void *read_them(void *unused)
{
    sigset_t set;
    struct signalfd_siginfo info[16];
    sigemptyset(&set);
    sigaddset(&set, BY_FD);
    int fd = signalfd(-1, &set, 0);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (!stop) {
        if (poll(&readable, 1, 100) < 1) continue;
        ssize_t got = read(fd, info, sizeof info);
        if (got <= 0) die("signalfd");
        for (size_t i = 0; i < got / sizeof *info; i++) note(2, info[i].ssi_int);
    }
    return unused;
}

static void *wait_for_them(void *unused)
{
    sigset_t set;
    siginfo_t info;
    struct timespec moment = {0, 100000000};
    sigemptyset(&set);
    sigaddset(&set, WAITED);
    sigaddset(&set, TICK);
    while (!stop) {
        int number = sigtimedwait(&set, &info, &moment);
        if (number == WAITED) note(3, info.si_value.sival_int);
        if (number == TICK) ticks += 1 + info.si_overrun;
    }
    return unused;
}

static void send_all(pid_t to)
{
    struct timespec next;
    int numbers[] = {HANDLED, BY_FD, WAITED};
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long next_one = 0; next_one < each && !time_is_up();) {
        for (int i = 0; i < PER_MS / 5 && next_one < each; i++) {
            for (int k = 0; k < 3; k++)
                while (sigqueue(to, numbers[k], (union sigval){.sival_int = (int)next_one}) == -1) {
                    if (errno != EAGAIN) die("sigqueue");
                    usleep(1000);
                }
            sent[0] = ++next_one;
        }
        next.tv_nsec += 1000000;
        if (next.tv_nsec >= 1000000000) next.tv_sec++, next.tv_nsec -= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
}

static void *send_to_threads(void *unused)
{
    unsigned at = 1;
    for (long next_one = 0; next_one < each && !time_is_up(); next_one++) {
        at = at * 1103515245 + 12345;
        union sigval value = {.sival_int = (int)next_one};
        int error;
        while ((error = pthread_sigqueue(threads[at / 65536 % THREADS], DIRECTED, value)) == EAGAIN) usleep(1000);
        if (error) die("pthread_sigqueue");
        sent[1] = next_one + 1;
        if (next_one % (PER_MS / 5) == 0) usleep(1000);
    }
    return unused;
}

int main(int count, char **arguments)
{
    int seconds = count > 1 ? atoi(arguments[1]) : 2;
    for_a_time = count > 2 && !strcmp(arguments[2], "for");
    each = seconds * 1000L * PER_MS / 5;
    sent = mmap(NULL, 2 * sizeof *sent, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sent == MAP_FAILED) die("mmap");
    for (int k = 0; k < KINDS; k++)
        if (!(seen[k] = calloc(each, 1))) die("calloc");
    sigset_t blocked, open;
    sigemptyset(&blocked);
    for (int number = HANDLED; number <= TICK; number++) sigaddset(&blocked, number);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(HANDLED, &action, NULL);
    sigaction(DIRECTED, &action, NULL);

    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 << 10);
    pthread_t readers[3], sender;
    pthread_create(&readers[0], &small, read_them, NULL);
    pthread_create(&readers[1], &small, wait_for_them, NULL);
    pthread_create(&readers[2], &small, wait_for_them, NULL);
    // Those that do I/O take the handled kinds.
    sigemptyset(&open);
    sigaddset(&open, HANDLED);
    sigaddset(&open, DIRECTED);
    pthread_sigmask(SIG_UNBLOCK, &open, NULL);
    for (long i = 0; i < THREADS; i++) {
        if (i % 2 == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i / 2])) die("socketpair");
        if (pthread_create(&threads[i], &small, talk, (void *)i)) die("pthread_create");
    }
    pthread_sigmask(SIG_BLOCK, &open, NULL);

    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = TICK};
    struct itimerspec often = {{0, 500000}, {0, 500000}}, never = {{0, 0}, {0, 0}};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer)) die("timer_create");
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    timer_settime(timer, 0, &often, NULL);
    last = (struct timespec){began.tv_sec + seconds, began.tv_nsec};
    pid_t child = fork();
    if (child == 0) {
        send_all(getppid());
        _exit(0);
    }
    pthread_create(&sender, &small, send_to_threads, NULL);
    pthread_join(sender, NULL);
    int status;
    if (waitpid(child, &status, 0) != child || status) die("the sender");
    for (int k = 0; k < KINDS; k++)
        while (taken[k] < sent[k == 1]) usleep(1000);
    timer_settime(timer, 0, &never, NULL);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    usleep(20000);
    stop = 1;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++) pthread_join(readers[i], NULL);
    long most = ((ended.tv_sec - began.tv_sec) * 1000000000L + ended.tv_nsec - began.tv_nsec) / 500000 + 1;
    if (ticks < 1 || ticks > most) fprintf(stderr, "storm: %ld expirations of at most %ld\n", (long)ticks, most);
    for (int k = 0; k < KINDS; k++) printf("kind %d: %s\n", k, taken[k] == sent[k == 1] && taken[k] > 0 ? "each once" : "wrong");
    printf("timer: %s, I/O: %s\n", ticks >= 1 && ticks <= most ? "counted" : "wrong", exchanged > THREADS / 2 ? "goes on" : "stuck");
    double took = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    if (getenv("STORM_FIGURES"))
        fprintf(stderr, "storm: %ld signals and %ld expirations in %.1f s, %ld bytes there and back\n",
                taken[0] + taken[1] + taken[2] + taken[3], (long)ticks, took, (long)exchanged);
    return 0;
}
