// What regular_file shows holds when every call on a regular file goes through the pool.
// env: COOP_FILE=thread
#include "regular_file.c"
