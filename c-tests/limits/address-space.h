// How much address space there is in use, for a limit that leaves no more.
#ifndef ADDRESS_SPACE_H
#define ADDRESS_SPACE_H

#include "coop-test.h"
#include <sys/resource.h>

// In bytes.
static long address_space(void)
{
    long pages;
    FILE *file = fopen("/proc/self/statm", "r");
    ASSERT(file != NULL && fscanf(file, "%ld", &pages) == 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

#endif
