"""CPython's own tests of threads, queues, sockets and selectors: the verdict on each of their methods must be the
native one, but for the differences listed in known.txt."""

import os
import sys
import xml.etree.ElementTree as xml
from collections import Counter
from fnmatch import fnmatchcase

from harness import HERE, PYTHON, Failure, outcome, tail, test

# All but the tests of processes and of managers' pools, for both ways to start a process.
MULTIPROCESSING = [
    *("WithThreads*", "WithProcessesTestPool", "WithProcessesTestQueue", "WithProcessesTestBarrier", "WithProcessesTestLock"),
    *("WithProcessesTestCondition", "WithProcessesTestEvent", "WithProcessesTestSharedMemory", "WithProcessesTestListener*"),
    *("WithManagerTestBarrier", "WithManagerTestCondition", "WithManagerTestEvent", "WithManagerTestQueue"),
    *("TestInvalidHandle", "OtherTest", "TestWait", "TestIgnoreEINTR", "TestResourceTracker", "TestSyncManagerTypes"),
]

# Seconds the module takes natively, options it needs, and patterns of what is left out unless all is asked for.
MODULES = {
    "test_thread": (1, [], []),
    "test_threading": (10, [], []),
    "test_queue": (8, [], []),
    # Left out are those that sit out time-outs.
    "test_signal": (13, [], ["SiginterruptTest"]),
    "test_threadsignals": (5, [], []),
    "test_eintr": (8, [], []),
    "test_faulthandler": (20, [], ["*test_dump_traceback_later*"]),
    # The resource is named for its use of sockets; it stays on this machine.
    "test_socketserver": (1, ["-u", "network"], []),
    # A guest whose host takes no vsock connections waits for them for ever, natively too.
    "test_socket": (26, ["-i", "ThreadedVSOCK*"], []),
    "test_httplib": (1, [], []),
    # Every one of these makes connections over and over, or is one of many alike.
    "test_ssl": (
        35,
        [],
        [
            *("test_PROTOCOL_TLS", "test_echo", "test_alpn_protocols", "test_session", "test_ecdh_curve"),
            *("SimpleBackgroundTests", "TestPostHandshakeAuth", "TestSSLDebug"),
        ],
    ),
    # Left out is what one thread does alone, three of the four ways of waiting for children, and two of three selectors.
    "test_asyncio": (
        75,
        [],
        [
            *(f"test.test_asyncio.{part}.*" for part in ("test_tasks", "test_taskgroups", "test_futures")),
            *("test.test_asyncio.test_ssl.*", "test.test_asyncio.test_sslproto.*"),
            *("SubprocessFastWatcherTests", "SubprocessSafeWatcherTests", "SubprocessPidfdWatcherTests"),
            *("SelectEventLoopTests", "PollEventLoopTests", "test.test_asyncio.test_base_events.*"),
        ],
    ),
    # Left out is what runs without the interpreter's own code, which is slow and makes the same calls.
    "test_io": (15, [], ["Py*", "test.test_io.Py*"]),
    "test_file": (1, [], []),
    "test_fileio": (1, [], []),
    "test_fcntl": (1, [], []),
    "test_pty": (1, [], []),
    "test_fork1": (5, [], []),
    "test_wait3": (5, [], []),
    "test_wait4": (5, [], []),
    "test_posix": (1, [], []),
    "test_os": (2, [], []),
    # Left out is the same without poll, and what tries one thing several times or waits out time-outs.
    "test_subprocess": (25, [], ["ProcessTestCaseNoPoll", "test_leaking_fds*", "*timeout*", "test_pass_fds*", "test_communicate_*"]),
    "test_multiprocessing_fork": (70, [], MULTIPROCESSING),
    "test_multiprocessing_spawn": (80, [], MULTIPROCESSING),
    "test_select": (2, [], []),
    "test_selectors": (15, [], []),
    "test_epoll": (2, [], []),
    "test_poll": (11, [], []),
    # Left out are tests of the pools of processes that sit out time-outs: the pools of threads have the same.
    "test_concurrent_futures": (
        54,
        [],
        ["ProcessPool*WaitTest", "ProcessPool*AsCompletedTest", "*.ProcessPool*.test_map_timeout"],
    ),
}

# Modules that start no thread: one that waits makes them run as tasks all the same.
ALONE = ["test_io", "test_file", "test_fileio", "test_fcntl", "test_pty"]
WITH_A_THREAD = """
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
from test.libregrtest import main
main()
"""

VERSION = "python%d.%d" % sys.version_info[:2]


def where(name):
    """The module's file, or the folder of a package."""
    module = f"/usr/lib/{VERSION}/test/{name}"
    return module if os.path.isdir(module) else f"{module}.py"


def known():
    """The rows of known.txt: (mode, test) patterns."""
    lines = (HERE / "known.txt").read_text().splitlines()
    return [tuple(line.split(None, 2)[:2]) for line in lines if line.strip() and not line.startswith("#")]


def verdicts(report):
    """From the XML report of a run: the verdict on each test method, and what was said about it."""
    found = {}
    for case in xml.parse(report).getroot().iter("testcase"):
        bad = [child for child in case if child.tag in ("skipped", "failure", "error")]
        verdict = bad[0].tag if bad else "ok"
        found[case.get("name")] = (verdict, "".join(child.text or "" for child in bad))
    return found


def module(name, seconds, options, left_out):
    def body(run):
        report = run.directory / "report.xml"
        if not run.whole:
            options_here = [*options, *(word for pattern in left_out for word in ("-i", pattern))]
        else:
            options_here = options
        start = ("-c", WITH_A_THREAD) if name in ALONE else ("-m", "test")
        finished = run.run(
            *(PYTHON, *start, "-v", "--junit-xml", report, *options_here, name),
            # More than twice what it takes natively: time-outs add up where every test waits for one.
            limit=60 + 4 * seconds * (2 if run.whole else 1),
        )
        if not report.exists() or not report.read_text():
            raise Failure(f"ended with {outcome(finished.status)} before its end\n{tail(finished.out)}\n{finished.err}")
        found = verdicts(report)
        if not found:
            raise Failure(f"it ran no test\n{tail(finished.out)}")
        run.note = ", ".join(f"{count} {verdict}" for verdict, count in Counter(v for v, _ in found.values()).items())
        bad = any(verdict in ("failure", "error") for verdict, _ in found.values())
        # What the methods cannot show: a crash at the end, or a changed environment.
        found["the whole"] = ("error" if bad else outcome(finished.status), tail(finished.out))
        return found

    test(
        f"cpython/{name}",
        needs=[PYTHON, where(name)],
        weight=seconds * 4,
        differences=differences,
    )(body)


def differences(seen, natively, mode):
    """The methods whose verdict is not the native one. Where a method fails natively there is nothing to compare."""
    allowed = [test for modes, test in known() if fnmatchcase(mode.name, modes)]
    wrong = []
    for name in sorted({*seen, *natively}):
        verdict, said = seen.get(name, ("missing", ""))
        before, _ = natively.get(name, ("missing", ""))
        if verdict == before or before in ("failure", "error"):
            continue
        if not any(fnmatchcase(name, pattern) for pattern in allowed):
            wrong.append(f"{name}: natively {before}, here {verdict}\n{tail(said, 20)}".rstrip())
    return "\n".join(wrong)


for each, row in MODULES.items():
    module(each, *row)
