// What pthread_kill shows holds when the FS base is set by arch_prctl, as on CPUs without FSGSBASE.
// env: COOP_FSGSBASE=0
#include "pthread_kill.c"
