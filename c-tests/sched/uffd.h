// Memory whose first touch waits until another thread fills it: a way to hold a thread up inside the kernel.
#ifndef UFFD_H
#define UFFD_H

#include "coop-test.h"
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

enum { UFFD_PAGE = 4096 };

static int uffd_fd = -1;

// A page that nobody can touch yet.
static inline char *uffd_page(void)
{
    uffd_fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    if (uffd_fd == -1) SKIP("userfaultfd is not permitted here");
    struct uffdio_api api = {.api = UFFD_API};
    SYS(ioctl(uffd_fd, UFFDIO_API, &api));
    char *page = mmap(NULL, UFFD_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(page != MAP_FAILED);
    struct uffdio_register all = {
        .range = {.start = (uintptr_t)page, .len = UFFD_PAGE},
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };
    SYS(ioctl(uffd_fd, UFFDIO_REGISTER, &all));
    return page;
}

// Waits until somebody is held up.
static inline void uffd_wait(void)
{
    struct uffd_msg message;
    ASSERT_EQ(SYS(read(uffd_fd, &message, sizeof message)), sizeof message);
    ASSERT_EQ(message.event, UFFD_EVENT_PAGEFAULT);
}

// Fills the page, which lets everybody go on who touched it.
static inline void uffd_fill(char *page, char byte)
{
    static char bytes[UFFD_PAGE] __attribute__((aligned(UFFD_PAGE)));
    memset(bytes, byte, sizeof bytes);
    struct uffdio_copy copy = {
        .dst = (uintptr_t)page, .src = (uintptr_t)bytes, .len = UFFD_PAGE};
    SYS(ioctl(uffd_fd, UFFDIO_COPY, &copy));
}

#endif
