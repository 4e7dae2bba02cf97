// Without io_uring, signals end waits on words in shared memory in the same way.
// env: COOP_SIMULATE=no-rings
#include "shared_interrupted.c"
