// What program shows holds when the FS base is set by arch_prctl, as on CPUs without FSGSBASE.
// env: COOP_FSGSBASE=0
#include "program.c"
