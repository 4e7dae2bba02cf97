// Without io_uring, random operations on futexes come to the same.
// env: COOP_SIMULATE=no-rings
// timeout: 120
#include "futexes.c"
