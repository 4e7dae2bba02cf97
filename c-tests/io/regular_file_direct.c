// What regular_file shows holds when calls on regular files are made directly.
// env: COOP_FILE=block
#include "regular_file.c"
