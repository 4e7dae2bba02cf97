// Each cancellation point of pthreads(7) in which a thread can wait: pthread_cancel ends the wait, and the thread.
// timeout: 60
#include "coop-test.h"
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <termios.h>

static int quiet[2], full[2], empty_pipe[2], full_pipe[2], listener, epoll, queue, locked, unix_full;
static mqd_t empty_queue, full_queue;
static pid_t child;
static sem_t never;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_t sleeper;
static char fifo[64];
static _Atomic int begun;

static char bytes[1 << 16];
static struct iovec vector = {bytes, sizeof bytes};
static struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
static struct timespec far = {3600, 0};

static struct timespec later(clockid_t clock)
{
    return in_ms(clock, 3600000);
}

static void unlock(void *lock)
{
    // It is locked again before cleanup handlers run.
    GIVES(pthread_mutex_trylock(lock), EBUSY);
    OK(pthread_mutex_unlock(lock));
}

static void c_accept(void) { accept(listener, NULL, NULL); }
static void c_clock_nanosleep(void) { clock_nanosleep(CLOCK_MONOTONIC, 0, &far, NULL); }
static void c_nanosleep(void) { nanosleep(&far, NULL); }
static void c_sleep(void) { sleep(3600); }
static void c_usleep(void) { usleep(999999999); }
static void c_pause(void) { pause(); }
static void c_read(void) { read(empty_pipe[0], bytes, 1) == 1 ? abort() : (void)0; }
static void c_readv(void) { if (readv(empty_pipe[0], &vector, 1) > 0) abort(); }
static void c_write(void) { for (;;) if (write(full_pipe[1], bytes, 4096) == -1) return; }
static void c_writev(void) { for (;;) if (writev(full_pipe[1], &vector, 1) == -1) return; }
static void c_recv(void) { recv(quiet[0], bytes, 1, 0); }
static void c_recvfrom(void) { recvfrom(quiet[0], bytes, 1, 0, NULL, NULL); }
static void c_recvmsg(void) { recvmsg(quiet[0], &message, 0); }
static void c_send(void) { for (;;) if (send(full[0], bytes, sizeof bytes, 0) == -1) return; }
static void c_sendto(void) { for (;;) if (sendto(full[0], bytes, sizeof bytes, 0, NULL, 0) == -1) return; }
static void c_sendmsg(void) { for (;;) if (sendmsg(full[0], &message, 0) == -1) return; }
static void c_connect(void)
{
    struct sockaddr_un { sa_family_t family; char path[108]; } address = {AF_UNIX, "\0coop-cancel"};
    snprintf(address.path + 1, 100, "coop-cancel-%d", getpid());
    for (;;) if (connect(SYS(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&address, sizeof address) == -1) return;
}
static void c_poll(void) { struct pollfd one = {quiet[0], POLLIN, 0}; poll(&one, 1, -1); }
static void c_ppoll(void) { struct pollfd one = {quiet[0], POLLIN, 0}; ppoll(&one, 1, NULL, NULL); }
static void c_select(void) { fd_set set; FD_ZERO(&set); FD_SET(quiet[0], &set); select(quiet[0] + 1, &set, NULL, NULL, NULL); }
static void c_pselect(void) { fd_set set; FD_ZERO(&set); FD_SET(quiet[0], &set); pselect(quiet[0] + 1, &set, NULL, NULL, NULL, NULL); }
static void c_epoll_wait(void) { struct epoll_event event; epoll_wait(epoll, &event, 1, -1); }
static void c_epoll_pwait(void) { struct epoll_event event; epoll_pwait(epoll, &event, 1, -1, NULL); }
static void c_sem_wait(void) { sem_wait(&never); }
static void c_sem_timedwait(void) { struct timespec at = later(CLOCK_REALTIME); sem_timedwait(&never, &at); }
static void c_cond_wait(void)
{
    OK(pthread_mutex_lock(&mutex));
    pthread_cleanup_push(unlock, &mutex);
    for (;;) pthread_cond_wait(&condition, &mutex);
    pthread_cleanup_pop(1);
}
static void c_cond_timedwait(void)
{
    struct timespec at = later(CLOCK_REALTIME);
    OK(pthread_mutex_lock(&mutex));
    pthread_cleanup_push(unlock, &mutex);
    for (;;) pthread_cond_timedwait(&condition, &mutex, &at);
    pthread_cleanup_pop(1);
}
static void c_join(void) { pthread_join(sleeper, NULL); }
static void c_timedjoin(void) { struct timespec at = later(CLOCK_REALTIME); pthread_timedjoin_np(sleeper, NULL, &at); }
static void c_wait(void) { wait(NULL); }
static void c_waitpid(void) { waitpid(child, NULL, 0); }
static void c_waitid(void) { siginfo_t info; waitid(P_PID, child, &info, WEXITED); }
static void c_sigwait(void) { sigset_t set = signal_set(SIGUSR2); int number; sigwait(&set, &number); }
static void c_sigwaitinfo(void) { sigset_t set = signal_set(SIGUSR2); sigwaitinfo(&set, NULL); }
static void c_sigtimedwait(void) { sigset_t set = signal_set(SIGUSR2); sigtimedwait(&set, NULL, &far); }
static void c_sigsuspend(void) { sigset_t set; sigemptyset(&set); sigsuspend(&set); }
static void c_msgrcv(void) { msgrcv(queue, bytes, 1, 77, 0); }
static void c_mq_receive(void) { mq_receive(empty_queue, bytes, sizeof bytes, NULL); }
static void c_mq_timedreceive(void) { struct timespec at = later(CLOCK_REALTIME); mq_timedreceive(empty_queue, bytes, sizeof bytes, NULL, &at); }
static void c_mq_send(void) { mq_send(full_queue, bytes, 8, 0); }
static void c_mq_timedsend(void) { struct timespec at = later(CLOCK_REALTIME); mq_timedsend(full_queue, bytes, 8, 0, &at); }
static void c_open_fifo(void) { open(fifo, O_RDONLY); }
static void c_fcntl_lock(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(locked, F_SETLKW, &lock);
}
static void c_lockf(void) { lockf(locked, F_LOCK, 0); }
static void c_system(void) { if (system("exec sleep 3600") != -1) abort(); }

#define POINT(name) {#name, c_##name}
static const struct { const char *name; void (*call)(void); } points[] = {
    POINT(accept), POINT(clock_nanosleep), POINT(nanosleep), POINT(sleep), POINT(usleep), POINT(pause), POINT(read),
    POINT(readv), POINT(write), POINT(writev), POINT(recv), POINT(recvfrom), POINT(recvmsg), POINT(send), POINT(sendto),
    POINT(sendmsg), POINT(connect), POINT(poll), POINT(ppoll), POINT(select), POINT(pselect), POINT(epoll_wait),
    POINT(epoll_pwait), POINT(sem_wait), POINT(sem_timedwait), POINT(cond_wait), POINT(cond_timedwait), POINT(join),
    POINT(timedjoin), POINT(wait), POINT(waitpid), POINT(waitid), POINT(sigwait), POINT(sigwaitinfo), POINT(sigtimedwait),
    POINT(sigsuspend), POINT(msgrcv), POINT(mq_receive), POINT(mq_timedreceive), POINT(mq_send), POINT(mq_timedsend),
    POINT(open_fifo), POINT(fcntl_lock), POINT(lockf), POINT(system),
};
enum { POINTS = sizeof points / sizeof *points };

static _Atomic int cleaned[POINTS];

static void cleanup(void *counter)
{
    ++*(_Atomic int *)counter;
}

static void *body(void *argument)
{
    int i = (int)(intptr_t)argument;
    pthread_cleanup_push(cleanup, &cleaned[i]);
    begun++;
    points[i].call();
    FAIL("%s returned in a cancelled thread", points[i].name);
    pthread_cleanup_pop(0);
}

static void prepare(void)
{
    struct sockaddr_in address;
    struct { sa_family_t family; char path[108]; } local = {AF_UNIX, ""};
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, quiet));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, full));
    SYS(pipe(empty_pipe));
    SYS(pipe(full_pipe));
    listener = tcp_listener(&address, 1);
    snprintf(local.path + 1, 100, "coop-cancel-%d", getpid());
    unix_full = SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    SYS(bind(unix_full, (struct sockaddr *)&local, sizeof local));
    SYS(listen(unix_full, 0));
    epoll = SYS(epoll_create1(0));
    SYS(sem_init(&never, 0, 0));
    queue = SYS(msgget(IPC_PRIVATE, 0600));
    char name[64];
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "/coop-cancel-%d-%d", getpid(), i);
        mqd_t made = mq_open(name, O_CREAT | O_RDWR | O_EXCL, 0600, &attributes);
        if (made == (mqd_t)-1) SKIP("no POSIX message queues here");
        mq_unlink(name);
        if (i == 0) empty_queue = made;
        else full_queue = made;
    }
    SYS(mq_send(full_queue, bytes, 8, 0));
    snprintf(fifo, sizeof fifo, "/tmp/coop-cancel-%d", getpid());
    SYS(mkfifo(fifo, 0600));
    char path[] = "/tmp/coop-cancel-XXXXXX";
    locked = SYS(mkstemp(path));
    SYS(unlink(path));
    int ends[2];
    SYS(pipe(ends));
    child = SYS(fork());
    if (child == 0) {
        // Another process holds the record lock.
        SYS(lockf(locked, F_LOCK, 0));
        SYS(write(ends[1], "x", 1));
        for (;;) pause();
    }
    read_all(ends[0], bytes, 1);
}

int main(void)
{
    pthread_t threads[POINTS];
    sigset_t set = signal_set(SIGUSR2);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    prepare();
    sleeper = spawn(pause_for_ever, NULL);
    for (intptr_t i = 0; i < POINTS; i++) threads[i] = spawn(body, (void *)i);
    UNTIL(begun == POINTS);
    let_others_block();
    let_others_block();
    for (int i = 0; i < POINTS; i++) OK(pthread_cancel(threads[i]));
    for (int i = 0; i < POINTS; i++)
        if (join(threads[i]) != PTHREAD_CANCELED) FAIL("%s: another result", points[i].name);
    for (int i = 0; i < POINTS; i++)
        if (cleaned[i] != 1) FAIL("%s: %d cleanups", points[i].name, cleaned[i]);
    SYS(msgctl(queue, IPC_RMID, NULL));
    SYS(unlink(fifo));
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    // The lock that cond_wait's cleanup gave back is free.
    OK(pthread_mutex_lock(&mutex));
    OK(pthread_cancel(sleeper));
    ASSERT_PTR(join(sleeper), PTHREAD_CANCELED);
    return 0;
}
