// The same when no call on a regular file leaves the hub.
// env: COOP_FILE=block
#include "append_whole.c"
