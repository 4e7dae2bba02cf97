// A small DNS server in a process of its own, and a resolver that asks it.
//
// It answers for the names under "test." by their first letter:
//   n<i>  10.1.<i / 256>.<i % 256> and fd00::<i>, after some milliseconds; each fifth name's first queries get no answer at all
//   c<i>  an alias of n<i>
//   t<i>  truncated over UDP: the whole answer, of 100 addresses, is had over TCP
//   x<i>  no such name
// and for addresses with names of the form a-b-c-d.test.
#ifndef DNS_H
#define DNS_H

#include "coop-test.h"
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <sys/prctl.h>

static struct sockaddr_in dns_address;

struct dns_answer { int64_t when; struct sockaddr_in to; int size; unsigned char bytes[512]; };

static unsigned char *dns_record(unsigned char *at, int type, const void *data, int size)
{
    // The name is that of the question, at offset 12.
    unsigned char head[] = {0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, size >> 8, size};
    memcpy(at, head, sizeof head);
    memcpy(at + sizeof head, data, size);
    return at + sizeof head + size;
}

// Makes the answer to a query; its size, or 0 where none is to be given.
static int dns_reply(unsigned char *bytes, int size, int over_tcp, int most)
{
    static unsigned char seen[1 << 16][2];
    char name[256] = "";
    int at = 12, count = 0;
    while (at < size && bytes[at]) {
        strncat(name, (char *)bytes + at + 1, bytes[at]);
        strcat(name, ".");
        at += bytes[at] + 1;
    }
    int type = bytes[at + 2];
    unsigned char *end = bytes + at + 5;
    long i = atol(name + 1) & 0xffff;
    unsigned char v4[4] = {10, 1, i >> 8, i}, v6[16] = {0xfd};
    v6[14] = i >> 8, v6[15] = i;
    bytes[2] = 0x85, bytes[3] = 0x80;
    memset(bytes + 6, 0, 6);
    if (type == T_PTR) {
        int a, b, c, d;
        ASSERT_EQ(sscanf(name, "%d.%d.%d.%d.", &d, &c, &b, &a), 4);
        unsigned char target[64];
        int length = sprintf((char *)target + 1, "%d-%d-%d-%d", a, b, c, d);
        target[0] = length;
        memcpy(target + 1 + length, "\4test", 6);
        end = dns_record(end, T_PTR, target, length + 7);
        count = 1;
    } else if (name[0] == 'x' || strstr(name, ".test.") == NULL || strstr(name, ".test.") != name + strlen(name) - 6) {
        bytes[3] = 0x83;
    } else if (name[0] == 'n' && i % 5 == 0 && !over_tcp && seen[i][type == T_AAAA]++ == 0) {
        return 0;
    } else if (name[0] == 't' && !over_tcp) {
        bytes[2] |= 2;
    } else if (name[0] == 't' && type == T_A) {
        for (; count < 100 && end + 16 < bytes + most; count++) {
            v4[2] = count;
            end = dns_record(end, T_A, v4, 4);
        }
    } else if (name[0] == 'c') {
        unsigned char alias[64];
        int length = sprintf((char *)alias + 1, "n%ld", i);
        alias[0] = length;
        memcpy(alias + 1 + length, "\4test", 6);
        unsigned char *target = end + 12;
        end = dns_record(end, T_CNAME, alias, length + 7);
        int offset = target - bytes;
        unsigned char *record = end;
        end = type == T_A ? dns_record(end, T_A, v4, 4) : dns_record(end, T_AAAA, v6, 16);
        record[0] = 0xc0 | offset >> 8, record[1] = offset;
        count = 2;
    } else if (name[0] == 'n') {
        end = type == T_A ? dns_record(end, T_A, v4, 4) : dns_record(end, T_AAAA, v6, 16);
        count = 1;
    }
    bytes[7] = count;
    return end - bytes;
}

static void dns_serve_tcp(int listener)
{
    static unsigned char bytes[8192];
    int fd = accept(listener, NULL, NULL);
    if (fd == -1) return;
    for (;;) {
        unsigned char head[2];
        if (read_all(fd, head, 2) != 2) break;
        int size = head[0] << 8 | head[1];
        if ((int)read_all(fd, bytes, size) != size) break;
        size = dns_reply(bytes, size, 1, sizeof bytes);
        head[0] = size >> 8, head[1] = size;
        write_all(fd, head, 2);
        write_all(fd, bytes, size);
    }
    close(fd);
}

__attribute__((noreturn)) static void dns_serve(int udp, int listener)
{
    enum { MOST = 8192 };
    static struct dns_answer pending[MOST];
    int count = 0;
    for (unsigned n = 0;;) {
        struct pollfd fds[] = {{.fd = udp, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
        SYS(poll(fds, 2, count ? 2 : -1));
        if (fds[1].revents) dns_serve_tcp(listener);
        while (count < MOST) {
            struct dns_answer *answer = &pending[count];
            socklen_t size = sizeof answer->to;
            int got = recvfrom(udp, answer->bytes, 300, MSG_DONTWAIT, (struct sockaddr *)&answer->to, &size);
            if (got < 12) break;
            answer->size = dns_reply(answer->bytes, got, 0, 512);
            answer->when = now_ns(CLOCK_MONOTONIC) + (5 + n++ * 7 % 40) * NS_PER_MS;
            count += answer->size > 0;
        }
        int64_t now = now_ns(CLOCK_MONOTONIC);
        for (int i = 0; i < count;) {
            if (pending[i].when > now) {
                i++;
                continue;
            }
            sendto(udp, pending[i].bytes, pending[i].size, 0, (struct sockaddr *)&pending[i].to, sizeof pending[i].to);
            pending[i] = pending[--count];
        }
    }
}

static pid_t dns_process;

static void dns_stop(void)
{
    if (dns_process > 0) kill(dns_process, SIGKILL);
    dns_process = 0;
}

// Starts the server on a port (0: any). To be called before the first thread.
static inline void dns_start(int port)
{
    socklen_t size = sizeof dns_address;
    int udp, listener, large = 8 << 20;
    // What the kernel gives for one protocol may be taken for the other.
    for (int tries = 0;; tries++) {
        dns_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        udp = SYS(socket(AF_INET, SOCK_DGRAM, 0)), listener = SYS(socket(AF_INET, SOCK_STREAM, 0));
        if (bind(udp, (struct sockaddr *)&dns_address, size) == 0) {
            SYS(getsockname(udp, (struct sockaddr *)&dns_address, &size));
            if (bind(listener, (struct sockaddr *)&dns_address, size) == 0) break;
        }
        if (port != 0 || tries == 100) SKIP("the port is taken");
        SYS(close(udp));
        SYS(close(listener));
    }
    setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
    SYS(listen(listener, 100));
    dns_process = SYS(fork());
    if (dns_process == 0) {
        // Not beyond its parent, however that ends.
        SYS(prctl(PR_SET_PDEATHSIG, SIGKILL));
        dns_serve(udp, listener);
    }
    SYS(close(udp));
    SYS(close(listener));
    atexit(dns_stop);
}

// The resolver of this thread asks the server, and as often as it takes.
static inline void dns_use(void)
{
    SYS(res_init());
    _res.nscount = 1;
    _res.nsaddr_list[0] = dns_address;
    _res.retrans = 1;
    _res.retry = 10;
    _res.options &= ~(RES_DNSRCH | RES_DEFNAMES);
}

#endif
