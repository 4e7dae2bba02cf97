"""What cannot work is said in one clear line, and the program runs all the same."""

import re
import shutil

from harness import DEFAULT, NATIVE, Failure, Mode, Skip, built, test

THREADS = "32"


def says(finished, *words):
    """One line on stderr, with each of the words in it."""
    lines = finished.err.splitlines()
    if len(lines) != 1 or not all(word in lines[0] for word in words):
        raise Failure(f"one line with {' and '.join(words)} was expected on stderr, not {finished.err!r}")


def threads(run, converted, **settings):
    """Runs a program of many threads with these settings: it does its work, and its threads are converted or not."""
    finished = run.run(built("many_threads.c"), THREADS, **settings).must()
    natively = run.run(built("many_threads.c"), THREADS, mode=NATIVE).must()
    count = re.compile(r"^system threads: (\d+)$", re.M)
    if count.sub("", finished.out) != count.sub("", natively.out):
        raise Failure(f"it printed\n{finished.out}\ninstead of\n{natively.out}")
    system = int(count.search(finished.out)[1])
    if converted and system > 16:
        raise Failure(f"{system} system threads: the program should have been converted")
    if not converted and system != int(THREADS) + 1:
        raise Failure(f"{system} system threads: the program should have run natively")
    return finished


@test("refusals/static-program", modes=[DEFAULT])
def static_program(run):
    """A static program loads no library, and runs as ever."""
    finished = run.run(built("many_threads.c", "-static"), THREADS).must()
    if finished.err or f"system threads: {int(THREADS) + 1}" not in finished.out:
        raise Failure(finished.seen())


@test("refusals/missing-library", modes=[DEFAULT])
def missing_library(run):
    """ld.so names the file that is not there."""
    missing = run.directory / "libcoop.so"
    says(threads(run, False, LD_PRELOAD=str(missing)), "ld.so", str(missing), "cannot be preloaded")


@test("refusals/disabled", modes=[DEFAULT])
def disabled(run):
    """COOP_DISABLE=1 is a wish, not an error: nothing is said."""
    finished = threads(run, False, COOP_DISABLE="1")
    if finished.err:
        raise Failure(finished.err)


# A bad value is named together with its variable, and the default holds.
for variable, value in (
    ("COOP_HUBS", "abc"),
    ("COOP_HUBS", "-1"),
    ("COOP_DOOR", "window"),
    ("COOP_FILE", "paper"),
    ("COOP_CLOSE", "perhaps"),
    ("COOP_STACK", "deep"),
    ("COOP_LOG", "shout"),
    ("COOP_LOG_FILE", "/nonexistent/log"),
    ("COOP_DUMP_SIGNAL", "USR9"),
):

    @test(f"refusals/bad-{variable}={value.replace('/', '_')}", modes=[DEFAULT])
    def bad_value(run, variable=variable, value=value):
        says(threads(run, True, **{variable: value}), variable, value)


# A kernel or CPU that lacks what is needed, as if.
@test("refusals/no-crossing", modes=[DEFAULT])
def no_crossing(run):
    """A task's FS base can be set neither by instruction nor by system call."""
    says(threads(run, False, COOP_SIMULATE="no-crossing"), "natively")


@test("refusals/shadow-stack", modes=[DEFAULT])
def shadow_stack(run):
    """The kernel would kill a thread that changes stacks."""
    says(threads(run, False, COOP_SIMULATE="shadow-stack"), "shadow stack", "natively")


for how, words in (("harmless", None), ("old", None), ("fails", "epoll_ctl"), ("kills", "signalfd4")):

    @test(f"refusals/seccomp-{how}", modes=[DEFAULT])
    def filtered(run, how=how, words=words):
        """A seccomp filter that forbids what is needed, by an error or by death, is found; one that does not is no obstacle."""
        finished = run.run(built("filtered.c"), how, built("many_threads.c"), THREADS).must()
        system = int(re.search(r"^system threads: (\d+)$", finished.out, re.M)[1])
        if words:
            says(finished, "seccomp", words, "natively")
        elif finished.err:
            raise Failure(finished.err)
        if (system == int(THREADS) + 1) != bool(words):
            raise Failure(f"{system} system threads")


@test("refusals/leak-sanitizer", modes=[DEFAULT])
def leak_sanitizer(run):
    """It stops all threads at the end, by means of its own."""
    # What it looks for in the end is not the point, and not allowed everywhere.
    finished = run.run(built("many_threads.c", "-fsanitize=leak"), THREADS, LSAN_OPTIONS="detect_leaks=0").must()
    says(finished, "LeakSanitizer", "natively")


@test("refusals/valgrind", modes=[DEFAULT])
def valgrind(run):
    """It runs one thread at a time, of those that it knows."""
    if not shutil.which("valgrind"):
        raise Skip("needs valgrind")
    finished = run.run("valgrind", "-q", "--error-exitcode=9", built("many_threads.c"), "4").must()
    says(finished, "Valgrind", "natively")


@test("refusals/no-code-is-written", modes=[NATIVE, DEFAULT])
def no_code_is_written(run):
    """Where no memory may become code (systemd's MemoryDenyWriteExecute), calls are trapped."""
    finished = run.run(built("filtered.c"), "mdwe", built("many_threads.c"), THREADS).must()
    system = int(re.search(r"^system threads: (\d+)$", finished.out, re.M)[1])
    if "PR_SET_MDWE" in finished.err:
        raise Skip("the kernel has no PR_SET_MDWE (Linux 6.3)")
    if finished.err or (system <= 16) != (not run.mode.native):
        raise Failure(f"{system} system threads\n{finished.err}")
    return "it works"


for door in ("rewrite", "trap"):

    @test(f"refusals/no-doors-{door}", modes=[Mode("preloaded", {"COOP_DOOR": door})])
    def no_doors(run):
        """System calls can be caught neither by rewriting nor by trapping."""
        says(threads(run, False, COOP_SIMULATE="no-doors"), "natively")
