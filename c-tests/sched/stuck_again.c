// Threads are held up inside the kernel again and again, in calls and in their own code, side by side with others: nobody gets lost.
// env: COOP_SLICE=1
#include "uffd.h"
#include <sys/utsname.h>

enum { PAGES = 8, THREADS = 4, ROUNDS = 3 };

static char *pages;
static _Atomic int stop, yields;

static void *toucher(void *argument)
{
    int kind = (int)(intptr_t)argument % 2;
    for (int i = 0; i < PAGES; i++) {
        char *page = pages + i * UFFD_PAGE;
        if (kind) SYS(uname((struct utsname *)page));
        else ASSERT(*(volatile char *)page != 0);
        sched_yield();
    }
    return NULL;
}

static void *busy(void *unused)
{
    while (!stop) {
        yields++;
        sched_yield();
    }
    return unused;
}

// Fills pages as they are asked for, one time late.
static void *filler(void *unused)
{
    static char bytes[UFFD_PAGE] __attribute__((aligned(UFFD_PAGE)));
    memset(bytes, 'x', sizeof bytes);
    for (int filled = 0; filled < PAGES * ROUNDS;) {
        struct uffd_msg message;
        ASSERT_EQ(SYS(read(uffd_fd, &message, sizeof message)), sizeof message);
        sleep_ms(3);
        struct uffdio_copy copy = {.dst = message.arg.pagefault.address & ~(UFFD_PAGE - 1ul),
                                   .src = (uintptr_t)bytes,
                                   .len = UFFD_PAGE};
        if (ioctl(uffd_fd, UFFDIO_COPY, &copy) == 0) filled++;
        else ASSERT_EQ(errno, EEXIST);
    }
    return unused;
}

int main(void)
{
    uffd_page();
    pages = mmap(NULL, PAGES * UFFD_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(pages != MAP_FAILED);
    struct uffdio_register all = {
        .range = {.start = (uintptr_t)pages, .len = PAGES * UFFD_PAGE},
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };
    SYS(ioctl(uffd_fd, UFFDIO_REGISTER, &all));
    pthread_t other = spawn(busy, NULL), fills = spawn(filler, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];
        for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(toucher, (void *)i);
        for (int i = 0; i < THREADS; i++) join(threads[i]);
        SYS(madvise(pages, PAGES * UFFD_PAGE, MADV_DONTNEED));
    }
    join(fills);
    stop = 1;
    join(other);
    ASSERT_GE(yields, 1);
    return 0;
}
