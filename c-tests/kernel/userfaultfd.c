// A thread that waits in userfaultfd's read fills in the pages that other threads touch.
#include "coop-test.h"
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

enum { PAGES = 8 };
static int fd;
static char *memory, page[4096] __attribute__((aligned(4096)));

static void *pager(void *unused)
{
    for (int i = 0; i < PAGES; i++) {
        struct uffd_msg message;
        ASSERT_EQ(read(fd, &message, sizeof message), sizeof message);
        ASSERT_EQ(message.event, UFFD_EVENT_PAGEFAULT);
        uintptr_t address = message.arg.pagefault.address & ~4095UL;
        memset(page, 'a' + (address - (uintptr_t)memory) / 4096, sizeof page);
        struct uffdio_copy copy = {.dst = address, .src = (uintptr_t)page, .len = 4096};
        SYS(ioctl(fd, UFFDIO_COPY, &copy));
    }
    return unused;
}

static void *toucher(void *number)
{
    ASSERT_EQ(((volatile char *)memory)[4096 * (long)number + 17], 'a' + (long)number);
    return NULL;
}

int main(void)
{
    fd = syscall(SYS_userfaultfd, O_CLOEXEC);
    if (fd == -1) SKIP("userfaultfd is not permitted");
    struct uffdio_api api = {.api = UFFD_API};
    SYS(ioctl(fd, UFFDIO_API, &api));
    memory = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register area = {.range = {(uintptr_t)memory, PAGES * 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    SYS(ioctl(fd, UFFDIO_REGISTER, &area));
    pthread_t threads[PAGES], thread = spawn(pager, NULL);
    for (long i = 0; i < PAGES; i++) threads[i] = spawn(toucher, (void *)i);
    for (int i = 0; i < PAGES; i++) join(threads[i]);
    join(thread);
    return 0;
}
