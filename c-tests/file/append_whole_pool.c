// The same when every call on a regular file goes through the pool.
// env: COOP_FILE=thread
#include "append_whole.c"
