"""gdb with the project's script finds the tasks of a program and their stacks, while it runs and in a core."""

import os
import re
import subprocess

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


def gdb(run, *arguments):
    script = ROOT / "scripts" / "coop-gdb.py"
    return run.run("gdb", "-nx", "-batch", "-ix", script, *arguments, mode=NATIVE, limit=60).must()


def check(shown):
    """Each waiting function stands in the stack of one task, and that task is listed with the call."""
    listed = dict(re.findall(r"^[* ] (\d+) +\d+ +waiting +[\d.]+ s +(\w+)\(", shown.out, re.M))
    stacks = re.split(r"^Task (\d+) .*$", shown.out, flags=re.M)
    stacks = dict(zip(stacks[1::2], stacks[2::2]))
    for function, call in WAITS.items():
        frame = re.compile(rf"^#\d+ .*\b{function} \(.* at .*idle\.c", re.M)
        here = [task for task, stack in stacks.items() if frame.search(stack)]
        if len(here) != 1 or listed.get(here[0]) != call:
            raise Failure(f"no single task that waits in {call} has {function} in its stack\n{shown.out}\n{shown.err}")
    if len(stacks) != len(WAITS):
        raise Failure(f"{len(stacks)} tasks instead of {len(WAITS)}\n{shown.out}")


@test("debugger/tasks", modes=PRELOADED, needs=["gdb"], weight=6)
def tasks(run):
    scope = "/proc/sys/kernel/yama/ptrace_scope"
    if os.geteuid() != 0 and os.path.exists(scope) and open(scope).read().strip() != "0":
        raise Skip(f"{scope} lets gdb attach to no process but its own")
    core, ask = run.directory / "core", ("-ex", "info tasks", "-ex", "task apply all bt")
    with run.start(built("idle.c"), stdin=subprocess.PIPE) as program:
        program.expect("all started")
        program.quiet()
        check(gdb(run, "-p", program.pid, *ask, "-ex", f"gcore {core}"))
        check(gdb(run, built("idle.c"), core, *ask))
        # It was only looked at: it goes on, and ends as ever.
        program.process.stdin.close()
        program.wait(10).must()
