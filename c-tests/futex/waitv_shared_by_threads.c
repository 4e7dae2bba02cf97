// Without io_uring, futex_waitv for private and shared words at once is the same.
// env: COOP_SIMULATE=no-rings
#include "waitv_shared.c"
