"""Programs that start others: shells, make, git, servers of several processes, and a storm of forks."""

import re

from harness import DEFAULT, EVERY, HERE, NATIVE, PYTHON, Failure, built, test

SCRIPT = r"""
set -m; exec 2>/dev/null  # notices of jobs come when they come
echo pipe: $(printf '%s\n' c a b | sort | tr '\n' ' ')
(sleep 0.1; exit 3) & (exit 4) &
wait %1; echo first $?; wait %2; echo second $?
trap 'echo term' TERM; kill -TERM $$; trap - TERM
sleep 30 & kill -STOP %+; until grep -q ') T' /proc/$!/stat; do :; done; jobs | sed 's/ *$//'; kill -CONT %+; kill %+; wait %+; echo killed $?
diff <(seq 3) <(seq 4) | tail -1
coproc upper { tr a-z A-Z; }
echo hello >&${upper[1]}; eval "exec ${upper[1]}>&-"; cat <&${upper[0]}
for i in 1 2 3 4 5 6 7 8; do (exit $i) & done; wait; echo all
echo subshell $( (echo in; exit 5) ; echo $?)
exec 3< <(yes | head -20000); wc -l <&3
"""


@test("processes/bash", needs=["bash"], weight=2)
def bash(run):
    """Pipelines, background jobs, job control, traps, process substitution, a coprocess."""
    return run.run("bash", "--norc", "-c", SCRIPT).seen()


MAKEFILE = """
all: $(patsubst %,out/%.txt,1 2 3 4 5 6 7 8)
\tcat out/*.txt
out/%.txt:
\tmkdir -p out; sleep 0.02; echo $* > $@
fails:
\tfalse
"""


@test("processes/make", needs=["make"], weight=2)
def make(run):
    """make -j2: its jobs, its order and its errors."""
    (run.directory / "Makefile").write_text(MAKEFILE)
    made = run.run("make", "-s", "-j2").must().seen()
    # The message names the make that speaks, which is the same, and the status.
    return made + run.run("make", "-s", "fails").seen()


@test("processes/git", needs=["git"], weight=8)
def git(run):
    """Commits, a clone, a gc with threads, a check: the same names for the same contents."""
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", "A"), ("EMAIL", "a@b"), ("DATE", "2020-01-01T00:00:00Z"))}
    who.update(GIT_CONFIG_NOSYSTEM="1", HOME=str(run.directory), GIT_CONFIG_GLOBAL="/dev/null")
    here = run.directory / "work"

    def say(*words):
        return run.run("git", *words, **who).must().out

    say("init", "-q", "-b", "main", here)
    for i in range(12):
        for j in range(6):
            (here / f"file{j}").write_text("".join(f"line {k * j + i}\n" for k in range(400)))
        say("-C", here, "add", ".")
        say("-C", here, "commit", "-q", "-m", f"commit {i}")
    say("-C", here, "-c", "pack.threads=4", "gc", "-q")
    say("clone", "-q", f"file://{here}", run.directory / "clone")
    say("-C", run.directory / "clone", "-c", "grep.threads=4", "grep", "-c", "line 7")
    say("-C", run.directory / "clone", "fsck", "--full")
    return say("-C", run.directory / "clone", "log", "--format=%H")


@test("processes/prefork", weight=8)
def prefork(run):
    """A pre-fork server with threads in its workers, one of which is killed and replaced."""
    return run.run(PYTHON, HERE / "prefork_server.py").must().seen()


@test("processes/storm", weight=10)
def storm(run):
    """Forks (100,000 of them with --full) while 1,000 threads do I/O."""
    forks = "100000" if run.whole else "400"
    return run.run(built("fork_storm.c"), forks, "1000", limit=1800 if run.whole else 60).must().seen()


@test("processes/strace", modes=(NATIVE, DEFAULT), needs=["strace"], weight=3)
def strace(run):
    """strace -f follows a program of many threads, its children included, and changes nothing of what it does."""
    record = run.directory / "trace"
    finished = run.run("strace", "-f", "-o", record, "-e", "trace=execve,exit_group,fork,vfork,clone,clone3",
                       PYTHON, "-c", "import subprocess, threading\n"
                       "t = threading.Thread(target=lambda: print(subprocess.run(['echo', 'child'],"
                       " capture_output=True, text=True).stdout))\nt.start(); t.join()")
    trace = record.read_text()
    if not re.search(r'execve\(.*"echo"', trace) or "exit_group(0)" not in trace:
        raise Failure(f"the child or the end is not in the trace\n{trace}")
    return finished.must().seen()
