"""What every test here stands on: modes, programs run within a time limit, and the list of tests.

A test is a function that runs programs in the mode it is given and returns what it saw, as text. What it saw
natively is the oracle: each preloaded mode must see the same.
"""

import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
LIBRARY = Path(os.environ.get("COOP_LIB") or TARGET / "release" / "libcoop.so").resolve()
OUTPUT = TARGET / "real-tests"

# The distribution's own interpreter: its threads are the system libc's.
PYTHON = "/usr/bin/python3"


class Failure(Exception):
    """The test failed; the text says how."""


class Skip(Exception):
    """The test cannot run here; the text says why."""


@dataclass(frozen=True, eq=False)
class Mode:
    """A way of running a program: natively, or with the library and these settings of it."""

    name: str
    settings: Optional[dict] = None

    @property
    def native(self):
        return self.settings is None

    def variables(self):
        return {} if self.native else {"LD_PRELOAD": str(LIBRARY), **self.settings}


NATIVE = Mode("native")
# The library as a user first meets it.
DEFAULT = Mode("preloaded", {})
PRELOADED = (
    Mode("rewrite-1", {"COOP_DOOR": "rewrite", "COOP_HUBS": "1"}),
    Mode("rewrite-2", {"COOP_DOOR": "rewrite", "COOP_HUBS": "2"}),
    Mode("trap-2", {"COOP_DOOR": "trap", "COOP_HUBS": "2"}),
)
EVERY = (NATIVE, *PRELOADED)


@dataclass(frozen=True)
class Test:
    """One entry of the list. `weight` is about how many seconds it takes: the longest begin first."""

    name: str
    body: Callable
    modes: tuple
    needs: tuple
    weight: float
    differences: Callable


TESTS = []


def test(name, modes=EVERY, needs=(), weight=1.0, differences=None):
    """Enters a test into the list. `needs` names commands or files without which it is skipped; `differences` tells
    what is wrong with (what was seen, what was seen natively, mode), line by line when not given."""

    def enter(body):
        TESTS.append(Test(name, body, tuple(modes), tuple(needs), weight, differences or different_lines))
        return body

    return enter


def different_lines(seen, natively, _mode):
    import difflib

    lines = difflib.unified_diff(natively.splitlines(), seen.splitlines(), "natively", "preloaded", lineterm="", n=1)
    return "\n".join(lines)


# When everything has to be over, in time.monotonic()'s seconds.
deadline = float("inf")

_running = set()
_running_lock = threading.Lock()


def kill_all():
    """Kills whatever still runs, for the end of a run that is broken off."""
    with _running_lock:
        for program in list(_running):
            program.kill()


@dataclass
class Finished:
    """How a program ended and what it wrote."""

    status: int
    out: str
    err: str

    def seen(self):
        """All of it, in one text that can be compared."""
        text = self.out
        if self.err:
            text += f"\n[stderr]\n{self.err}"
        return f"{text}\n[{outcome(self.status)}]"

    def must(self, status=0):
        """Itself, if it ended with this status."""
        if self.status != status:
            raise Failure(f"ended with {outcome(self.status)}, not status {status}\n{tail(self.out)}\n{tail(self.err)}")
        return self


def outcome(status):
    return f"status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"


def tail(text, lines=25):
    return "\n".join(text.splitlines()[-lines:])


class Program:
    """A running program, in a session of its own so that all its processes can be ended together. What it writes
    goes to files: a process left behind can then hold up no reader."""

    def __init__(self, argv, directory, environment, stdin=subprocess.DEVNULL):
        # `directory` is also where it runs; several programs of a test may share it.
        stem = f"{Path(argv[0]).name}-{time.monotonic_ns()}"
        self.argv = [str(word) for word in argv]
        self.out_path = directory / f"{stem}.out"
        self.err_path = directory / f"{stem}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                self.argv,
                stdin=stdin,
                stdout=out,
                stderr=err,
                cwd=directory,
                env=environment,
                start_new_session=True,
            )
        self.pid = self.process.pid
        with _running_lock:
            _running.add(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        with _running_lock:
            _running.discard(self)

    def output(self):
        return self.out_path.read_text(errors="replace"), self.err_path.read_text(errors="replace")

    def wait(self, seconds):
        """Waits for its end, within the limit; then nothing of it is left running."""
        limit = max(0.1, min(seconds, deadline - time.monotonic()))
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self._abort()
            out, err = self.output()
            raise Failure(
                f"still running after {limit:.0f} s: {' '.join(self.argv)}\n{tail(out)}\n{tail(err, 60)}"
            ) from None
        finally:
            self.kill()
        return Finished(status, *self.output())

    def _abort(self):
        """Ends it by SIGABRT: an interpreter then writes where each of its threads stands."""
        os.kill(self.pid, signal.SIGABRT)
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            pass

    def stop(self, seconds=10, by=signal.SIGTERM):
        """Asks it to end, and returns how it did."""
        if self.process.poll() is None:
            os.kill(self.pid, by)
        return self.wait(seconds)

    def expect(self, pattern, seconds=15):
        """The match of `pattern` in what it writes, as soon as it is there."""
        until = min(time.monotonic() + seconds, deadline)
        while True:
            ended = self.process.poll() is not None
            out, err = self.output()
            found = re.search(pattern, out + err)
            if found:
                return found
            if ended or time.monotonic() > until:
                how = outcome(self.process.returncode) if ended else f"silent for {seconds} s"
                raise Failure(f"{self.argv[0]} did not print /{pattern}/: {how}\n{tail(out)}\n{tail(err)}")
            time.sleep(0.02)

    def spent(self):
        """Its CPU time in clock ticks, and how often its threads gave up a CPU or lost it."""
        stat = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        switches = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            switches += sum(map(int, re.findall(r"ctxt_switches:\s+(\d+)", (task / "status").read_text())))
        return int(stat[11]) + int(stat[12]), switches

    def quiet(self, seconds=10):
        """Waits until all its threads have gone into their waits: it spends nothing more. What it has spent by then."""
        until = time.monotonic() + seconds
        before = self.spent()
        while time.monotonic() < until:
            time.sleep(0.1)
            now = self.spent()
            if now == before:
                return now
            before = now
        raise Failure(f"it was never quiet for 0.1 s in {seconds} s")


@dataclass
class Run:
    """One test in one mode: what its body is handed. `whole` asks for the long form of the test."""

    mode: Mode
    directory: Path
    whole: bool = False
    note: str = field(default="", init=False)

    def environment(self, mode=None, **variables):
        # Nothing else of the caller's environment may decide what a program does.
        mine = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        mine.update(LC_ALL="C.UTF-8", TMPDIR=str(self.directory))
        return {**mine, **(mode or self.mode).variables(), **variables}

    def start(self, *argv, mode=None, stdin=subprocess.DEVNULL, **variables):
        """Starts a program in the test's mode (or another), with more environment variables."""
        return Program(argv, self.directory, self.environment(mode, **variables), stdin)

    def run(self, *argv, limit=60, mode=None, **variables):
        """Runs a program to its end."""
        with self.start(*argv, mode=mode, **variables) as program:
            return program.wait(limit)


_ports_lock = threading.Lock()
# Below those that the kernel gives to whoever asks for any. Two runs at a time begin in different places.
_given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
_ports = list(range(10_000, max(_given, 20_000)))
_first = random.randrange(len(_ports))
_ports = itertools.cycle(_ports[_first:] + _ports[:_first])


def free_port():
    """A port of 127.0.0.1 for one server, of TCP and UDP: nobody has it, and no other test gets it."""
    with _ports_lock:
        for port in _ports:
            try:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with socket.socket(socket.AF_INET, kind) as probe:
                        probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


_build_lock = threading.Lock()

_COMPILERS = {
    ".c": ("gcc", "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-pthread"),
    ".cpp": ("g++", "-std=c++20", "-O2", "-g", "-Wall", "-Wextra", "-pthread"),
    ".rs": ("rustc", "--edition=2021", "-O", "-g"),
}


def built(source, *options):
    """The program made from a source beside this file, made anew only when the source is newer."""
    path = HERE / source
    program = OUTPUT / "bin" / "-".join([path.stem, *(option.strip("-") for option in options)])
    with _build_lock:
        if not program.exists() or program.stat().st_mtime < path.stat().st_mtime:
            program.parent.mkdir(parents=True, exist_ok=True)
            command = [*_COMPILERS[path.suffix], "-o", str(program), str(path), *options]
            if not shutil.which(command[0]):
                raise Skip(f"no {command[0]}")
            made = subprocess.run(command, capture_output=True, text=True, timeout=120)
            if made.returncode or made.stderr:
                program.unlink(missing_ok=True)
                raise Failure(f"{' '.join(command)}\n{made.stderr}")
    return program
