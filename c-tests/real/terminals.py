"""Programs with threads at a terminal: a prompt beside running threads, a shell's job control, script(1)."""

import os
import pty
import re
import select
import subprocess
import time

from harness import PYTHON, Failure, outcome, test

# A job: it ticks while a thread of its waits for a line.
JOB = r"""
import sys, threading, time
ticks = 0
got = []
reader = threading.Thread(target=lambda: got.append(sys.stdin.readline()))
reader.start()
print("started", flush=True)
while reader.is_alive() or not ticks:
    ticks += 1
    time.sleep(0.001)
print("got", got[0].strip(), "ticked", ticks > 0, flush=True)
sys.exit(5)
"""

# For the shell: it shows the job once that has stopped.
UNTIL_STOPPED = "until jobs | grep -q Stopped; do sleep 0.1; done; jobs\n"


class Terminal:
    """A program whose controlling terminal is in our hands."""

    def __init__(self, run, *argv):
        self.master, slave = pty.openpty()
        self.text = ""
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *map(str, argv)],
            cwd=run.directory,
            env=run.environment(TERM="dumb", PS1="$ ", PYTHON_HISTORY="", HISTFILE=""),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        # What is left in its session gets SIGHUP.
        os.close(self.master)

    def send(self, text):
        os.write(self.master, text.encode())

    def expect(self, pattern, seconds=20):
        """Waits until the terminal shows it, and forgets what came before."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.text)):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise Failure(f"no {pattern!r} at the terminal, but\n{self.text}")
            try:
                self.text += os.read(self.master, 4096).decode(errors="replace")
            except OSError:
                raise Failure(f"ended without {pattern!r} at the terminal:\n{self.text}") from None
        self.text = self.text[found.end() :]
        return found

    def ends(self, status, seconds=20):
        ended = self.process.wait(seconds)
        if ended != status:
            raise Failure(f"ended with {outcome(ended)} instead of {status}\n{self.text}")


@test("terminal/python-prompt", needs=["setsid"], weight=3)
def python_prompt(run):
    """python3 -i: threads run while the interpreter waits at its prompt; ^C interrupts a call; ^D ends it."""
    with Terminal(run, PYTHON, "-i", "-q") as terminal:
        terminal.expect(">>> ")
        terminal.send("import threading, time; n = [0]; go = threading.Event()\n")
        terminal.expect(">>> ")
        terminal.send("def run():\n  while not go.is_set(): n[0] += 1; time.sleep(0.001)\n\n")
        terminal.expect(">>> ")
        terminal.send("t = threading.Thread(target=run); t.start(); before = n[0]\n")
        terminal.expect(">>> ")
        time.sleep(0.2)
        terminal.send("print('ran', n[0] > before + 10)\n")
        terminal.expect("ran True\r?\n>>> ")
        terminal.send("print('sleeps'); time.sleep(100)\n")
        terminal.expect(r"\nsleeps")
        time.sleep(0.1)
        terminal.send("\x03")
        terminal.expect("KeyboardInterrupt\r?\n>>> ")
        terminal.send("go.set(); t.join(); print('joined', not t.is_alive())\n")
        terminal.expect("joined True\r?\n>>> ")
        terminal.send("\x04")
        terminal.ends(0)
    return "as it should be"


@test("terminal/bash-jobs", needs=["setsid", "bash"], weight=4)
def bash_jobs(run):
    """An interactive bash: ^Z, jobs, fg and bg of a program with threads, one of which reads the terminal."""
    (run.directory / "job.py").write_text(JOB)
    with Terminal(run, "bash", "--norc", "--noprofile", "-i") as terminal:
        terminal.expect(r"\$ ")
        terminal.send(f"{PYTHON} job.py\n")
        terminal.expect("started")
        time.sleep(0.2)
        terminal.send("\x1a")
        terminal.expect(r"\[1\]\+ +Stopped")
        terminal.send("bg; echo in the back''ground\n")
        terminal.expect("in the background")
        # It reads, so it stops again.
        terminal.send(UNTIL_STOPPED)
        terminal.expect(r"\[1\]\+ +Stopped")
        terminal.send("fg\n")
        terminal.expect("job.py")
        terminal.send("a line\n")
        terminal.expect("got a line ticked True")
        terminal.send("echo status $?\n")
        terminal.expect("status 5")
        terminal.send(f"{PYTHON} job.py &\n")
        terminal.send(UNTIL_STOPPED)
        terminal.expect(r"\[1\]\+ +Stopped")
        terminal.send("fg\n")
        terminal.expect("job.py")
        terminal.send("another line\n")
        terminal.expect("got another line ticked True")
        terminal.send("exit 0\n")
        terminal.ends(0)
    return "as it should be"


@test("terminal/script", needs=["script"], weight=3)
def script(run):
    """script(1), which has a terminal of its own to show, with a program of threads in it."""
    (run.directory / "job.py").write_text(JOB)
    with Terminal(run, "script", "-qec", f"{PYTHON} job.py", "typescript") as terminal:
        terminal.expect("started")
        terminal.send("a line\n")
        terminal.expect("got a line ticked True")
        terminal.ends(5)
    written = (run.directory / "typescript").read_text()
    if "got a line ticked True" not in written:
        raise Failure(f"not in the typescript:\n{written}")
    return "as it should be"
