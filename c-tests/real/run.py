#!/usr/bin/python3
"""Runs programs that no one here wrote (and a few small ones), natively and preloaded: they must do the same.

    run.py [--list] [--whole] [--jobs N] [--within SECONDS] [FILTER]...

Prints a line a test and mode, `NAME::MODE`, and at the end the details of what failed and a summary line. A filter is a
part of such a name, with * for anything between (`threads/*native`); several are alternatives. The library is
target/release/libcoop.so, or what COOP_LIB names.
"""

import argparse
import importlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

import harness
from harness import Failure, Run, Skip

PARTS = (
    *("cpython", "servers", "daemons", "event_loops", "databases", "clients"),
    *("programs", "processes", "terminals", "unchanged", "refusals", "debugger", "signals"),
)


class Report:
    """Prints each result as it comes, and counts."""

    def __init__(self):
        self.lock = threading.Lock()
        self.failures = []
        self.counts = {"ok": 0, "FAILED": 0, "SKIPPED": 0}

    def add(self, verdict, name, remark="", detail=""):
        with self.lock:
            self.counts[verdict] += 1
            if verdict == "FAILED":
                self.failures.append((name, detail))
            print(f"{verdict:<8}{name}{f' ({remark})' if remark else ''}", flush=True)

    def close(self):
        if self.failures:
            print("\nfailures:")
        # What went wrong in the same way in several tests is told once.
        for detail in dict.fromkeys(detail for _, detail in sorted(self.failures)):
            names = [name for name, other in sorted(self.failures) if other == detail]
            print(f"\n---- {', '.join(names)} ----\n{detail.rstrip()}")
        print(
            f"\ntest result: {'FAILED' if self.failures else 'ok'}. {self.counts['ok']} passed; "
            f"{self.counts['FAILED']} failed; {self.counts['SKIPPED']} ignored",
            flush=True,
        )


def title(test, mode):
    return f"{test.name}::{mode.name}"


def lacking(test):
    """What is not here that the test needs."""
    return [need for need in test.needs if not (shutil.which(need) or os.path.exists(need))]


def once(test, mode, whole):
    """Runs a test in one mode: what it saw, and a remark for its line."""
    if time.monotonic() > harness.deadline:
        raise Failure("no time was left for it")
    if not mode.native and not harness.LIBRARY.exists():
        raise Failure(f"there is no library at {harness.LIBRARY}")
    # Its path is short, as that of a Unix socket in it has to be.
    with tempfile.TemporaryDirectory(prefix="coop-", ignore_cleanup_errors=True) as directory:
        run = Run(mode, Path(directory), whole)
        began = time.monotonic()
        seen = test.body(run)
        remark = f"{time.monotonic() - began:.1f} s"
        return seen, f"{remark}, {run.note}" if run.note else remark


def go_through(test, wanted, report, whole):
    """Runs the wanted modes of a test, natively first."""
    modes = [mode for mode in test.modes if wanted(title(test, mode))]
    missing = lacking(test)
    natively = trouble = None
    # Whoever asks for one mode alone needs the oracle all the same.
    for mode in dict.fromkeys([*(m for m in test.modes if m.native and modes), *modes]):
        name = title(test, mode)
        try:
            if missing:
                raise Skip(f"needs {', '.join(missing)}")
            if trouble:
                raise Skip("natively it failed")
            seen, remark = once(test, mode, whole)
            if mode.native:
                natively = seen
            elif natively is not None:
                wrong = test.differences(seen, natively, mode)
                if wrong:
                    raise Failure(wrong)
            result = ("ok", name, remark)
        except Skip as reason:
            result = ("SKIPPED", name, str(reason))
        except Failure as failure:
            result = ("FAILED", name, "", str(failure))
        except Exception as mistake:  # noqa: BLE001 - a mistake in a test is a failure of that test alone
            result = ("FAILED", name, "", f"the test itself: {type(mistake).__name__}: {mistake}")
        if mode.native and result[0] == "FAILED":
            trouble = True
        if mode in modes or result[0] == "FAILED":
            report.add(*result)


def main():
    # Started in the background of a script, these are ignored, and every program under test would inherit that.
    for inherited in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(inherited) == signal.SIG_IGN:
            signal.signal(inherited, signal.SIG_DFL)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("filters", nargs="*", metavar="FILTER")
    parser.add_argument("--list", action="store_true", help="only say what would run")
    parser.add_argument("--whole", "--full", action="store_true", help="the long tests in full length")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), help="how many tests run at a time (two a CPU: most wait)")
    parser.add_argument("--within", type=float, default=float("inf"), help="seconds after which all must be over")
    options = parser.parse_intermixed_args()

    for part in PARTS:
        importlib.import_module(part)
    patterns = [f"*{part}*" for part in options.filters or [""]]
    wanted = lambda name: any(fnmatchcase(name, pattern) for pattern in patterns)  # noqa: E731
    tests = [test for test in harness.TESTS if any(wanted(title(test, mode)) for mode in test.modes)]
    if options.list:
        for test in tests:
            for mode in test.modes:
                if wanted(title(test, mode)):
                    print(f"{title(test, mode)}: test")
        return 0

    harness.deadline = time.monotonic() + options.within
    # A test that aborts a program on purpose, or one that crashes, need not leave a core file behind.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report()
    pool = ThreadPoolExecutor(options.jobs)
    try:
        tests.sort(key=lambda test: -test.weight)
        for done in [pool.submit(go_through, test, wanted, report, options.whole) for test in tests]:
            done.result()
    except BaseException:
        # Broken off: what waits must not begin, and what runs must end.
        harness.deadline = 0.0
        pool.shutdown(wait=False, cancel_futures=True)
        harness.kill_all()
        raise
    report.close()
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
