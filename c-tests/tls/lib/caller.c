// A library that makes its syscalls by itself, inline, and starts threads of its own.
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

long inline_read(int fd, void *buffer, size_t size)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(SYS_read), "D"(fd), "S"(buffer), "d"(size)
                     : "rcx", "r11", "memory");
    return result;
}

int start(pthread_t *thread, void *(*body)(void *), void *argument)
{
    return pthread_create(thread, NULL, body, argument);
}
