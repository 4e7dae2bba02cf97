// A cancellation that is pending acts in the next cancellation point, even one that would not wait, and before it does anything.
#include "coop-test.h"
#include <sys/uio.h>

static int ends[2], pair[2], file;
static sem_t ready;
static _Atomic int at;

static char byte = 'x';
static struct iovec vector = {&byte, 1};

static void c_read(void) { if (read(ends[0], &byte, 1)) {} }
static void c_readv(void) { if (readv(ends[0], &vector, 1)) {} }
static void c_write(void) { if (write(file, &byte, 1)) {} }
static void c_writev(void) { if (writev(file, &vector, 1)) {} }
static void c_pwrite(void) { if (pwrite(file, &byte, 1, 0)) {} }
static void c_pread(void) { if (pread(file, &byte, 1, 0)) {} }
static void c_recv(void) { recv(pair[0], &byte, 1, 0); }
static void c_send(void) { send(pair[0], &byte, 1, 0); }
static void c_fsync(void) { fsync(file); }
static void c_fdatasync(void) { fdatasync(file); }
static void c_poll(void) { struct pollfd one = {ends[0], POLLIN, 0}; poll(&one, 1, 0); }
static void c_select(void) { struct timeval none = {0, 0}; select(0, NULL, NULL, NULL, &none); }
static void c_nanosleep(void) { struct timespec none = {0, 0}; nanosleep(&none, NULL); }
static void c_sem_wait(void) { sem_wait(&ready); }
static void c_waitpid(void) { waitpid(-1, NULL, WNOHANG); }
static void c_open(void) { int made = open("/dev/null", O_RDONLY); FAIL("open gave %d", made); }
static void c_openat(void) { openat(AT_FDCWD, "/dev/null", O_RDONLY); }
static void c_creat(void) { creat("/nonexistent/x", 0600); }
static void c_close(void) { close(dup(file)); }
static void c_msync(void) { msync(NULL, 0, MS_SYNC); }
static void c_testcancel(void) { pthread_testcancel(); }
static void c_accept(void) { accept(-1, NULL, NULL); }
static void c_connect(void) { connect(-1, NULL, 0); }
static void c_sigtimedwait(void) { sigset_t set; sigemptyset(&set); struct timespec none = {0, 0}; sigtimedwait(&set, NULL, &none); }
static void c_tcdrain(void) { syscall(SYS_gettid); pthread_testcancel(); }

static void (*const calls[])(void) = {
    c_read, c_readv, c_write, c_writev, c_pwrite, c_pread, c_recv, c_send, c_fsync, c_fdatasync, c_poll, c_select, c_nanosleep,
    c_sem_wait, c_waitpid, c_open, c_openat, c_creat, c_close, c_msync, c_testcancel, c_accept, c_connect, c_sigtimedwait, c_tcdrain,
};
enum { CALLS = sizeof calls / sizeof *calls };

static void *body(void *argument)
{
    int i = (int)(intptr_t)argument;
    at = 1;
    // Not a cancellation point.
    while (at != 2) sched_yield();
    calls[i]();
    FAIL("call %d returned in a cancelled thread", i);
}

int main(void)
{
    char got[8];
    SYS(pipe(ends));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SYS(sem_init(&ready, 0, 1));
    file = SYS(memfd_create("file", 0));
    SYS(write(ends[1], "abc", 3));
    SYS(write(pair[1], "def", 3));
    for (intptr_t i = 0; i < CALLS; i++) {
        at = 0;
        pthread_t thread = spawn(body, (void *)i);
        UNTIL(at == 1);
        OK(pthread_cancel(thread));
        at = 2;
        ASSERT_PTR(join(thread), PTHREAD_CANCELED);
    }
    // Nothing was read, written or taken.
    ASSERT_EQ(read_all(ends[0], got, 3), 3);
    ASSERT_MEM(got, "abc", 3);
    ASSERT_EQ(read_all(pair[0], got, 3), 3);
    ASSERT_MEM(got, "def", 3);
    FAILS(recv(pair[1], got, 1, MSG_DONTWAIT), EAGAIN);
    ASSERT_EQ(SYS(lseek(file, 0, SEEK_END)), 0);
    SYS(sem_trywait(&ready));
    return 0;
}
