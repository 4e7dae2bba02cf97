"""Programs of many threads that run to an end: their output, errors and status must not depend on who carries
the threads."""

import hashlib
import random
import re

from harness import EVERY, HERE, NATIVE, PRELOADED, PYTHON, Failure, Skip, built, test


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


COMPRESSORS = {
    "pigz": ("pigz", "-n", "-p4"),
    "zstd": ("zstd", "-q", "-T4"),
    "pbzip2": ("pbzip2", "-p4", "-b1"),
    "lbzip2": ("lbzip2", "-n4"),
}


def compressor(name):
    @test(f"compress/{name}", needs=[name], weight=4)
    def compress(run):
        """Several threads make the same file as natively, and the file from it again."""
        plain, packed = run.directory / "words", run.directory / "packed"
        words(plain, 4 << 20)
        command = COMPRESSORS[name]
        # By redirection: its standard streams are a file and a pipe then.
        script = '"$0" "$@" -c < words > packed && cat packed | "$0" -dc | cmp - words'
        run.run("sh", "-c", script, *command).must()
        return digest(packed)


for name in COMPRESSORS:
    compressor(name)


@test("sort/parallel", needs=["sort"], weight=4)
def sort(run):
    """Threads that sort in memory, with temporary files and a child that compresses them."""
    plain = run.directory / "lines"
    words(plain, 3 << 20)
    command = ("sort", "--parallel=4", "-S2M", f"-T{run.directory}", "--compress-program=gzip", plain)
    run.run("sh", "-c", '"$@" > sorted', "sh", *command).must()
    return digest(run.directory / "sorted")


@test("lmdb/killed", needs=["/usr/lib/python3/dist-packages/lmdb"], weight=2)
def lmdb(run):
    """Processes are killed while a thread of each holds a database's robust lock."""
    return run.run(PYTHON, HERE / "lmdb_killed.py", run.directory / "db").must().seen()


@test("sqlite/wal", weight=4)
def sqlite(run):
    """32 connections of a process write to one file, and wait by sleeping and by record locks."""
    return run.run(PYTHON, HERE / "sqlite_threads.py", run.directory / "db").must().seen()


@test("threads/ruby", needs=["ruby"], weight=6)
def ruby(run):
    """A lock for the whole interpreter, handed on by a timer's signal, and threads that wait outside it."""
    return run.run("ruby", "-W0", HERE / "ruby_threads.rb").must().seen()


@test("threads/perl", needs=["perl"], weight=6)
def perl(run):
    """An interpreter a thread."""
    if run.run("perl", "-Mthreads", "-e1", mode=NATIVE).status:
        raise Skip("needs a perl with threads")
    return run.run("perl", HERE / "perl_threads.pl").must().seen()
