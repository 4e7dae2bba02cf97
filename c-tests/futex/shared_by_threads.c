// Without io_uring, waits on words in shared memory are the same.
// env: COOP_SIMULATE=no-rings
#include "shared_wait.c"
