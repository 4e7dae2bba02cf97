/*
 * The echo server that one writes by hand for speed: a single thread, an epoll set, non-blocking sockets. It is here
 * for orientation, as the mark to measure a thread a connection against, and has the interface of echo_server.c:
 * it listens on 127.0.0.1, prints its port, and serves until SIGTERM or until its standard input ends.
 *
 *     echo_epoll [port]        port 0, the default, takes any free one
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, EVENTS = 512, BUFFER = 4096 };

/* What a connection was sent and has not been given back yet; from == to whenever it is being read. */
struct connection {
    int fd;
    size_t from, to;
    char bytes[BUFFER];
};

static int epoll_fd;

static void die(const char *what)
{
    fprintf(stderr, "echo_epoll: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Nothing is worth flushing, and _exit is all that a signal handler may call. */
static void on_sigterm(int signo)
{
    (void)signo;
    _exit(0);
}

static int watch(int operation, int fd, unsigned events, void *tag)
{
    struct epoll_event event = { .events = events, .data.ptr = tag };
    return epoll_ctl(epoll_fd, operation, fd, &event);
}

static void hang_up(struct connection *c)
{
    close(c->fd);
    free(c);
}

/* Writes what is owed. 1: all of it is out; 0: the peer must read first; -1: the connection is gone. */
static int give_back(struct connection *c)
{
    while (c->from < c->to) {
        ssize_t n = write(c->fd, c->bytes + c->from, c->to - c->from);
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        c->from += (size_t)n;
    }
    c->from = c->to = 0;
    return 1;
}

static void serve(struct connection *c, unsigned events)
{
    if (events & EPOLLOUT) {
        int done = give_back(c);
        if (done < 0)
            hang_up(c);
        else if (done > 0)
            watch(EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
        return;
    }
    ssize_t n = read(c->fd, c->bytes, sizeof c->bytes);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        hang_up(c);
        return;
    }
    c->to = (size_t)n;
    int done = give_back(c);
    if (done < 0)
        hang_up(c);
    else if (done == 0)
        watch(EPOLL_CTL_MOD, c->fd, EPOLLOUT, c);
}

static void accept_all(int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = malloc(sizeof *c);
        if (c == NULL)
            die("malloc");
        c->fd = fd;
        c->from = c->to = 0;
        if (watch(EPOLL_CTL_ADD, fd, EPOLLIN, c) < 0)
            die("epoll_ctl");
    }
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        die("accept4");
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
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

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

/* Reads what standard input has; true at its end. */
static int input_ended(void)
{
    char ignored[256];
    return read(STDIN_FILENO, ignored, sizeof ignored) <= 0;
}

int main(int argc, char **argv)
{
    /* Two addresses that no connection has tell the other two sources of events apart. */
    static char listener_tag, input_tag;
    struct epoll_event events[EVENTS];
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_sigterm);

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        die("epoll_create1");
    int listener = listen_on(argc > 1 ? (unsigned short)atoi(argv[1]) : 0);
    if (watch(EPOLL_CTL_ADD, listener, EPOLLIN, &listener_tag) < 0)
        die("epoll_ctl");
    /* A file cannot be waited on: it has ended, as far as waiting goes. */
    if (watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, &input_tag) < 0)
        return errno == EPERM ? 0 : 1;

    for (;;) {
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);
        if (n < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < n; i++) {
            void *tag = events[i].data.ptr;
            if (tag == &listener_tag)
                accept_all(listener);
            else if (tag == &input_tag) {
                if (input_ended())
                    return 0;
            } else
                serve(tag, events[i].events);
        }
    }
}
