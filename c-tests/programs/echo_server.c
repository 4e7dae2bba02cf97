/*
 * An ordinary TCP echo server, one thread a connection: plain pthreads and blocking calls, nothing that knows of
 * coroutines. It listens on 127.0.0.1, prints its port, and serves until SIGTERM or until its standard input ends.
 *
 *     echo_server [port]        port 0, the default, takes any free one
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK_SIZE = 64 * 1024, BACKLOG = 4096 };

static void die(const char *what)
{
    fprintf(stderr, "echo_server: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Nothing is worth flushing, and _exit is all that a signal handler may call. */
static void on_sigterm(int signo)
{
    (void)signo;
    _exit(0);
}

static int write_all(int fd, const char *bytes, size_t left)
{
    while (left > 0) {
        ssize_t n = write(fd, bytes, left);
        if (n < 0)
            return -1;
        bytes += n;
        left -= (size_t)n;
    }
    return 0;
}

/* One connection, from its first byte to its end. */
static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char bytes[4096];
    ssize_t n;

    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        if (write_all(fd, bytes, (size_t)n) < 0)
            break;
    close(fd);
    return NULL;
}

/* Hands every connection to a thread of its own, for as long as the process lives. */
static void *accept_all(void *arg)
{
    int listener = (int)(intptr_t)arg;
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            die("accept");
        }
        pthread_t thread;
        errno = pthread_create(&thread, &attr, serve, (void *)(intptr_t)fd);
        if (errno != 0)
            die("pthread_create");
    }
    return NULL;
}

static int listen_on(unsigned short port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("bind");
    if (listen(fd, BACKLOG) < 0)
        die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        die("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    char ignored[256];
    ssize_t n;

    /* The usual soft limit of 1,024 files would end the party early. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_sigterm);

    int listener = listen_on(argc > 1 ? (unsigned short)atoi(argv[1]) : 0);
    pthread_t acceptor;
    errno = pthread_create(&acceptor, NULL, accept_all, (void *)(intptr_t)listener);
    if (errno != 0)
        die("pthread_create");

    do
        n = read(STDIN_FILENO, ignored, sizeof ignored);
    while (n > 0 || (n < 0 && errno == EINTR));
    return 0;
}
