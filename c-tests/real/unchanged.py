"""What the library must not change: nothing for a program of one thread, and no work while nothing happens."""

import re
import subprocess
import time
from collections import Counter

from harness import DEFAULT, NATIVE, PRELOADED, HERE, Failure, built, test

# The calls by which ld.so loads one more library and those that it needs, and how many more of all of them together
# that may be for each program that is started. Whatever else is called must be called as often as natively.
LOADING = {"openat", "read", "pread64", "fstat", "newfstatat", "mmap", "mprotect", "munmap", "close"}
MOST_LOADING = 25


def calls(run, mode, *argv):
    """How often each system call is made, children included, and what the program printed."""
    record = run.directory / f"strace-{mode.name}"
    settings = [word for name, value in mode.variables().items() for word in ("-E", f"{name}={value}")]
    # strace itself is to stay outside: the variables are set for the program that it starts.
    finished = run.run("strace", "-f", "-qq", "-o", record, *settings, *argv, mode=NATIVE).must()
    # `PID name(arguments` or `PID <... name resumed>`; only the first counts.
    return Counter(re.findall(r"^\d+ +(\w+)\(", record.read_text(errors="replace"), re.M)), finished.seen()


def same_calls(run, *argv):
    """Compares the calls of a program natively and in the test's mode."""
    natively, before = calls(run, NATIVE, *argv)
    preloaded, after = calls(run, run.mode, *argv)
    more = preloaded - natively
    less = natively - preloaded
    loading = sum(more[name] for name in LOADING)
    others = {name: count for name, count in more.items() if name not in LOADING}
    run.note = f"{sum(natively.values())} calls, and {loading} for loading"
    if before != after:
        raise Failure(f"it printed\n{after}\ninstead of\n{before}")
    if others or less or loading > MOST_LOADING * natively["execve"]:
        raise Failure(f"calls for loading: {loading}; other calls more: {others}, less: {dict(less)}")
    if not loading:
        raise Failure("nothing was loaded: the library was not there")


# The doors may not matter to a program that never opens one.
DORMANT = (DEFAULT, PRELOADED[-1])


@test("unchanged/calls-of-c", modes=DORMANT, needs=["strace"])
def calls_of_c(run):
    same_calls(run, built("single_thread.c"))


@test("unchanged/calls-of-ls", modes=DORMANT, needs=["strace"])
def calls_of_ls(run):
    same_calls(run, "ls", "-l", "/etc")


@test("unchanged/calls-of-grep", modes=DORMANT, needs=["strace"])
def calls_of_grep(run):
    same_calls(run, "grep", "-rc", "thread", HERE)


@test("unchanged/calls-of-shell", modes=DORMANT, needs=["strace"])
def calls_of_shell(run):
    """A shell and its children: the library goes along into each. They run one by one, since how many signals two
    children make that end together is a matter of chance."""
    same_calls(run, "sh", "-c", "head -c 100 /etc/passwd > head; tr a-z A-Z < head; cat head")


@test("unchanged/process-of-c")
def process(run):
    """No other descriptor, thread, signal handler, signal mask or filter than natively."""
    return run.run(built("single_thread.c")).must().seen()


@test("unchanged/idle-is-idle", weight=3)
def idle(run):
    """While all its threads wait, a process uses no CPU and is not woken up."""
    seconds, most_ticks, most_switches = 2, 1, 20
    with run.start(built("idle.c"), stdin=subprocess.PIPE) as program:
        program.expect("all started")
        before = program.quiet()
        # The span is what is measured over.
        time.sleep(seconds)
        after = program.spent()
        ticks, switches = after[0] - before[0], after[1] - before[1]
        run.note = f"{ticks} ticks, {switches} switches in {seconds} s"
        if ticks > most_ticks or switches > most_switches:
            raise Failure(f"not idle: {run.note}; at most {most_ticks} and {most_switches} are expected")
        program.process.stdin.close()
        return program.wait(10).seen()
