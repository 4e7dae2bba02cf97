"""gdb with the project's script finds the tasks of a program and their stacks, while it runs and in a core."""

import os
import re
import resource
import signal
import subprocess
from pathlib import Path

from harness import NATIVE, PRELOADED, ROOT, Failure, Skip, built, test

# The functions of idle.c whose threads wait, and the call that each waits in.
WAITS = {
    "in_condition": "futex",
    "in_semaphore": "futex",
    "in_read": "read",
    "in_accept": "accept",
    "in_poll": "poll",
    "in_sleep": "clock_nanosleep",
    "main": "read",
}


def tasks(run, *arguments):
    """What gdb shows of all tasks, of a process or of a core."""
    script = ROOT / "scripts" / "coop-gdb.py"
    ask = ("-ex", "info tasks", "-ex", "task apply all bt")
    return run.run("gdb", "-nx", "-batch", "-ix", script, *arguments, *ask, mode=NATIVE, limit=60).must()


def check(shown):
    """Each waiting function stands in the stack of one task, and that task is listed with the call."""
    listed = dict(re.findall(r"^  (\d+) +[01] +waiting +[\d.]+ s +(\w+)\(", shown.out, re.M))
    stacks = re.split(r"^Task (\d+) .*$", shown.out, flags=re.M)
    stacks = dict(zip(stacks[1::2], stacks[2::2]))
    for function, call in WAITS.items():
        frame = re.compile(rf"^#\d+ .*\b{function} \(.* at .*idle\.c", re.M)
        here = [task for task, stack in stacks.items() if frame.search(stack)]
        if len(here) != 1 or listed.get(here[0]) != call:
            raise Failure(f"no single task that waits in {call} has {function} in its stack\n{shown.out}\n{shown.err}")
    if len(stacks) != len(WAITS):
        raise Failure(f"{len(stacks)} tasks instead of {len(WAITS)}\n{shown.out}")


def waiting(run):
    """A program whose threads all wait. The dump signal is not sent, but has the library note since when they do."""
    start = ("sh", "-c", 'ulimit -c "$(ulimit -H -c)"; exec "$0"', built("idle.c"))
    program = run.start(*start, stdin=subprocess.PIPE, COOP_DUMP_SIGNAL="USR2")
    program.expect("all started")
    program.quiet()
    return program


@test("debugger/live", modes=PRELOADED, needs=["gdb"], weight=3)
def live(run):
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    if os.geteuid() != 0 and scope.exists() and scope.read_text().strip() != "0":
        raise Skip(f"{scope} lets gdb attach to no process but its own")
    with waiting(run) as program:
        check(tasks(run, "-p", program.pid))
        # It was only looked at: it goes on, and ends as ever.
        program.process.stdin.close()
        program.wait(10).must()


@test("debugger/core", modes=PRELOADED, needs=["gdb"], weight=3)
def core(run):
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if "/" in pattern or "%" in pattern:
        raise Skip(f"core files do not stay here: {pattern}")
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        raise Skip("core files are forbidden")
    with waiting(run) as program:
        program.stop(by=signal.SIGQUIT)
        (file,) = run.directory.glob(f"{pattern}*")
        check(tasks(run, built("idle.c"), file))
