"""Programs of many threads that run to an end: their output, errors and status must not depend on who carries
the threads."""

import hashlib
import random
import re

from harness import EVERY, HERE, PRELOADED, PYTHON, Failure, built, test


@test("threads/python", weight=20)
def python_threads(run):
    """Threads, queues, pools, locks, time-outs and child processes of Python's own library."""
    return run.run(PYTHON, HERE / "python_threads.py").must().seen()


@test("threads/cxx", weight=8)
def cxx_threads(run):
    """std::thread, std::async, futures, exceptions and C++20's latches, barriers and atomic waits."""
    return run.run(built("cxx_threads.cpp")).must().seen()


@test("threads/rust", weight=8)
def rust_threads(run):
    """std::thread, scopes, channels, parking, sleeping and TCP of Rust's standard library."""
    return run.run(built("rust_threads.rs")).must().seen()


@test("threads/openmp", weight=8)
def openmp(run):
    """libgomp's loops, reductions, tasks, sections and barriers: it has futex calls of its own, outside libc."""
    return run.run(built("openmp.c", "-fopenmp"), OMP_NUM_THREADS="4", OMP_DYNAMIC="false").must().seen()


@test("threads/openmp-passive", weight=4)
def openmp_passive(run):
    """The same with threads that sleep at once where they would spin first."""
    program = built("openmp.c", "-fopenmp")
    return run.run(program, OMP_NUM_THREADS="8", OMP_DYNAMIC="false", OMP_WAIT_POLICY="passive").must().seen()


@test("threads/carried", modes=EVERY)
def carried(run):
    """64 blocked threads: natively each is a thread of the system's, preloaded a few workers carry them all.
    Without this, a library that does nothing would pass everything else."""
    finished = run.run(built("many_threads.c"), "64").must()
    threads = int(re.search(r"^system threads: (\d+)$", finished.out, re.M)[1])
    run.note = f"{threads} system threads"
    if run.mode.native and threads != 65:
        raise Failure(f"natively 65 system threads were expected, not {threads}")
    if run.mode in PRELOADED and threads > 16:
        raise Failure(f"{threads} system threads: this program's threads were not converted")
    return finished.seen().replace(f"system threads: {threads}", "system threads: N")


def words(path, size):
    """Writes a file of words: the same at each call, neither trivial to compress nor impossible."""
    chance = random.Random(32)
    some = [chance.randbytes(chance.randint(2, 12)) for _ in range(5000)]
    piece = b"".join(chance.choices(some, k=300_000))
    with open(path, "wb") as file:
        written = 0
        while written < size:
            start = chance.randrange(len(piece) // 2)
            written += file.write(piece[start : start + min(1 << 20, size - written)])


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@test("xz/two-threads", needs=["xz"], weight=20)
def xz(run):
    """xz with two threads makes the same file, and takes it apart again."""
    plain, packed = run.directory / "words", run.directory / "words.xz"
    words(plain, 32 << 20)
    before = digest(plain)
    run.run("xz", "-T2", "-1", "--block-size=1MiB", plain).must()
    made = digest(packed)
    run.run("xz", "-T2", "--decompress", packed).must()
    if digest(plain) != before:
        raise Failure("what was taken apart is not what was packed")
    return made
