// Threads with identities of their own wait for each other in opens of FIFOs, locks, pipes and sockets, and keep their identities.
#include "own.h"
#include <sys/file.h>

static char directory[] = "/tmp/coop-own-XXXXXX";
static char fifo[100], locked[100];
static int pipes[2], listener;
static struct sockaddr_in address = {.sin_family = AF_INET};

static void check(uid_t me, const char *what)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s-%u", directory, what, me);
    SYS(close(SYS(open(path, O_CREAT | O_EXCL | O_WRONLY, 0600))));
    ASSERT_EQ(owner(path), me);
    SYS(unlink(path));
}

static void *reader(void *argument)
{
    char byte;
    setfsuid(1001);
    int fd = SYS(open(fifo, O_RDONLY));
    ASSERT_EQ(read(fd, &byte, 1), 1);
    check(1001, "fifo");
    SYS(close(fd));
    ASSERT_EQ(read(pipes[0], &byte, 1), 1);
    check(1001, "pipe");
    int lock = SYS(open(locked, O_RDONLY));
    SYS(flock(lock, LOCK_EX));
    check(1001, "lock");
    SYS(close(lock));
    int connection = SYS(accept(listener, NULL, NULL));
    ASSERT_EQ(read(connection, &byte, 1), 1);
    check(1001, "socket");
    SYS(close(connection));
    return argument;
}

static void *writer(void *argument)
{
    setfsuid(1002);
    let_others_block();
    int fd = SYS(open(fifo, O_WRONLY));
    check(1002, "fifo");
    let_others_block();
    write_all(fd, "a", 1);
    SYS(close(fd));
    let_others_block();
    int lock = SYS(open(locked, O_RDONLY));
    SYS(flock(lock, LOCK_EX));
    write_all(pipes[1], "b", 1);
    let_others_block();
    check(1002, "pipe");
    SYS(close(lock));
    let_others_block();
    int connection = SYS(socket(AF_INET, SOCK_STREAM, 0));
    SYS(connect(connection, (struct sockaddr *)&address, sizeof address));
    let_others_block();
    write_all(connection, "c", 1);
    check(1002, "socket");
    SYS(close(connection));
    return argument;
}

int main(void)
{
    socklen_t size = sizeof address;
    need_root();
    open_directory(directory);
    snprintf(fifo, sizeof fifo, "%s/fifo", directory);
    snprintf(locked, sizeof locked, "%s/locked", directory);
    SYS(mkfifo(fifo, 0600));
    SYS(chmod(fifo, 0666));
    SYS(close(SYS(open(locked, O_CREAT | O_RDWR, 0644))));
    SYS(pipe(pipes));
    listener = SYS(socket(AF_INET, SOCK_STREAM, 0));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SYS(bind(listener, (struct sockaddr *)&address, sizeof address));
    SYS(listen(listener, 5));
    SYS(getsockname(listener, (struct sockaddr *)&address, &size));
    pthread_t a = spawn(reader, NULL), b = spawn(writer, NULL);
    join(a);
    join(b);
    SYS(unlink(fifo));
    SYS(unlink(locked));
    SYS(rmdir(directory));
    return 0;
}
