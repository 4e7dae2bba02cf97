// Without io_uring, no wake-up of a word in shared memory is lost to a time-out either.
// env: COOP_SIMULATE=no-rings
// timeout: 60
#include "shared_race.c"
