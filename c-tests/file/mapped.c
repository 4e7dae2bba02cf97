// A shared mapping, msync and read agree; what one thread stores the others read, from the file and from their own mappings.
#include "coop-test.h"

#define PAGES 8

static int fd;

static void *body(void *argument)
{
    int me = (int)(intptr_t)argument;
    unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, me * 4096), got[4096];
    ASSERT(page != MAP_FAILED);
    memset(page, me + 1, 4096);
    SYS(msync(page, 4096, MS_SYNC));
    ASSERT_EQ(SYS(pread(fd, got, 4096, me * 4096)), 4096);
    ASSERT_MEM(page, got, 4096);
    SYS(munmap(page, 4096));
    FAILS(msync(page + 1, 4096, MS_SYNC), EINVAL);
    return NULL;
}

int main(void)
{
    pthread_t threads[PAGES];
    fd = SYS(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    SYS(ftruncate(fd, PAGES * 4096));
    for (intptr_t i = 0; i < PAGES; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < PAGES; i++) join(threads[i]);
    unsigned char *all = mmap(NULL, PAGES * 4096, PROT_READ, MAP_SHARED, fd, 0);
    for (int i = 0; i < PAGES * 4096; i++) ASSERT_EQ(all[i], i / 4096 + 1);
    return 0;
}
