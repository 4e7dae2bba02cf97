"""Signals in earnest: a storm of them, and a JVM, which lives by its signal handlers."""

import os
import re
import shutil
import time

from harness import HERE, NATIVE, OUTPUT, PRELOADED, DEFAULT, Failure, Skip, built, test

JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/bin"


@test("signals/storm", weight=5)
def storm(run):
    """10,000 signals a second of five kinds to 1,000 threads: none lost, none doubled."""
    seconds = int(os.environ.get("COOP_STORM_SECONDS", 2))
    return run.run("sh", "-c", 'ulimit -n 4096; exec "$0" "$1"', built("signal_storm.c"), seconds, limit=60 + 4 * seconds).seen()


@test("signals/storm-minute", modes=(DEFAULT,), weight=70)
def minute(run):
    """The same for a minute (an hour when all is asked for), beside the other tests: as many as there is CPU for, and each is counted."""
    seconds = 3600 if run.whole else 60
    # What is pending counts for the user, not for the process: others need room, too.
    storm = 'ulimit -n 4096; ulimit -i 20000; exec nice -n 10 "$0" "$1" for'
    finished = run.run("bash", "-c", storm, built("signal_storm.c"), seconds, limit=2 * seconds + 120, STORM_FIGURES="1")
    wanted = "".join(f"kind {kind}: each once\n" for kind in range(4)) + "timer: counted, I/O: goes on\n"
    if finished.out != wanted or finished.status != 0:
        raise Failure(f"status {finished.status}\n{finished.out}{finished.err}")
    run.note = finished.err.strip().removeprefix("storm: ")


def java(tool):
    """A tool of OpenJDK 17, or of whatever JDK is on the path."""
    found = f"{JAVA}/{tool}" if os.path.exists(f"{JAVA}/{tool}") else shutil.which(tool)
    if not found:
        raise Skip(f"needs {tool} (OpenJDK 17)")
    return found


def classes(run):
    """The directory with the compiled program."""
    source = HERE / "Threads.java"
    target = OUTPUT / "java"
    if not (target / "Threads.class").exists() or (target / "Threads.class").stat().st_mtime < source.stat().st_mtime:
        run.run(java("javac"), "-d", target, source, mode=NATIVE, limit=120).must()
    return target


@test("signals/jvm", modes=(NATIVE, DEFAULT, PRELOADED[0]), weight=4)
def jvm(run):
    """Pools, queues, monitors, interrupts, null checks and stack overflows by fault, garbage collections."""
    return run.run(java("java"), "-Xmx256m", "-cp", classes(run), "Threads", limit=120).seen()


@test("signals/jstack", modes=(NATIVE, DEFAULT), weight=4)
def jstack(run):
    """jstack attaches to the running JVM by SIGQUIT, and finds the thread that waits; SIGTERM runs the shutdown hook."""
    command = (java("java"), "-Xmx256m", "-cp", classes(run), "Threads", "wait")
    read, write = os.pipe()
    with run.start(*command, stdin=read) as program:
        os.close(read)
        program.expect(r"(?m)^ready$", 60)
        dump = run.run(java("jstack"), program.pid, mode=NATIVE, limit=60).must()
        found = re.search(r'"waits-for-jstack".*?java.lang.Thread.State: (\w+)', dump.out, re.S)
        if not found:
            raise Failure(f"jstack did not show the thread\n{dump.out[:2000]}")
        os.write(write, b"\n")
        os.close(write)
        program.expect(r"let go")
        time.sleep(0.1)
        finished = program.stop(60)
        return f"{found.group(1)}\n{finished.out}\n{finished.status}"
