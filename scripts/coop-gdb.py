"""gdb commands for programs whose threads are tasks of libcoop.

    gdb -ix scripts/coop-gdb.py -p PID          (or: gdb -ix scripts/coop-gdb.py PROGRAM CORE)
    (gdb) info tasks                            every task: id, hub, state, the call that it waits in, since when, name
    (gdb) task 4194305 bt                       the task's own stack
    (gdb) task 4194305 COMMAND                  any command, seen from that task's frame
    (gdb) task apply all bt                     for each task in turn

Nothing of the process is changed, so a core serves as well as a live process.

How: a parked task's registers lie in its context, where libcoop's symbol COOP_TASK_LAYOUT tells gdb to find them. While
a `task` command runs, an unwinder tells gdb that the selected thread's innermost frame was called from there: what then
follows frame 0 is the task's stack.
"""

import os
import re
import struct
import time
import xml.etree.ElementTree as xml

import gdb
from gdb.unwinder import Unwinder, register_unwinder

# libcoop's tasks have thread pointers and thread ids that libthread_db would take for system threads.
gdb.execute("set libthread-db-search-path /nonexistent")

# COOP_TASK_LAYOUT: two addresses, the size of a task, and offsets in it.
FIELDS = "base high size live id name call waits_on waits_since hub regs fs frame hub_index".split()
# A context's registers, in the order in which the crossing saves them.
REGISTERS = "rax rdi rsi rdx r10 r8 r9 rbx rbp r12 r13 r14 r15 rsp rip".split()
# A signal frame's: after the return address, ucontext's flags, link and stack.
FRAME_REGISTERS = "r8 r9 r10 r11 r12 r13 r14 r15 rdi rsi rbp rbx rdx rax rcx rsp rip".split()
FRAME_OFFSET = 8 + 8 + 8 + 24


def word(address):
    """The eight bytes at an address, as a number."""
    return struct.unpack("<Q", gdb.selected_inferior().read_memory(address, 8))[0]


class Layout:
    """Where the tasks of the process are."""

    def __init__(self):
        try:
            # In C, whatever the language of the selected frame is.
            found = gdb.execute("with language c -- output (unsigned long)&COOP_TASK_LAYOUT", to_string=True)
        except gdb.error:
            raise gdb.GdbError("this process has no libcoop.so") from None
        address = int(re.match(r"\d+", found)[0])  # gdb may add a warning about the language
        for index, name in enumerate(FIELDS):
            setattr(self, name, word(address + 8 * index))


class Task:
    """A task as it lies in memory."""

    def __init__(self, layout, address):
        memory = gdb.selected_inferior().read_memory(address, layout.size).tobytes()

        def number(offset, form="<Q"):
            return struct.unpack_from(form, memory, offset)[0]

        self.live = memory[layout.live] != 0
        self.id = number(layout.id, "<i")
        self.name = memory[layout.name : layout.name + 16].split(b"\0")[0].decode(errors="replace")
        self.call = number(layout.call, "<i")
        self.waits_on = number(layout.waits_on)
        self.waits_since = number(layout.waits_since)
        self.fs = number(layout.fs)
        if not self.live:
            return
        self.hub = word(number(layout.hub) + layout.hub_index)
        frame = number(layout.frame)
        if frame:
            values = (word(frame + FRAME_OFFSET + 8 * index) for index in range(len(FRAME_REGISTERS)))
            self.registers = dict(zip(FRAME_REGISTERS, values))
        else:
            values = struct.unpack_from(f"<{len(REGISTERS)}Q", memory, layout.regs)
            self.registers = dict(zip(REGISTERS, values))

    @property
    def state(self):
        if self.thread:
            return "running"
        return "ready" if self.call < 0 else "waiting"


def tasks():
    """All live tasks, in the order of their slots: the main task first."""
    layout = Layout()
    base, count = word(layout.base), word(layout.high)
    found = (Task(layout, base + layout.size * index) for index in range(count))
    alive = [task for task in found if task.live]
    # A system thread that runs a task's code has the task's thread pointer.
    threads = {thread_pointer(thread): thread for thread in gdb.selected_inferior().threads()}
    for task in alive:
        task.thread = threads.get(task.fs)
    return alive


def on(thread, action):
    """Does something with another thread selected."""
    before = gdb.selected_thread()
    thread.switch()
    try:
        return action()
    finally:
        before.switch()


def thread_pointer(thread):
    return on(thread, lambda: int(gdb.newest_frame().read_register("fs_base")) % (1 << 64))


def task_of(number):
    for task in tasks():
        if task.id == number:
            return task
    raise gdb.GdbError(f"there is no task {number}: see `info tasks`")


_calls = {}


def call_name(number):
    """A system call's name, from gdb's own table."""
    if not _calls:
        path = os.path.join(gdb.parameter("data-directory"), "syscalls", "amd64-linux.xml")
        try:
            _calls.update((int(row.get("number")), row.get("name")) for row in xml.parse(path).iter("syscall"))
        except OSError:
            _calls[-1] = ""
    return _calls.get(number, f"call {number}")


def waits_for(task):
    """The call that a task waits in, with its first argument."""
    name = call_name(task.call)
    small = task.waits_on < 1 << 20
    return f"{name}({task.waits_on if small else hex(task.waits_on)}, ...)"


def is_core():
    return gdb.selected_inferior().connection.type == "core"


class InfoTasks(gdb.Command):
    """Lists the tasks of a program that runs under libcoop: `*` marks those that run now.
SINCE is for how long a task has been waiting; in a core, counted up to the last wait that began."""

    def __init__(self):
        super().__init__("info tasks", gdb.COMMAND_STATUS)

    def invoke(self, _argument, _from_tty):
        found = tasks()
        waiting = [task for task in found if task.state == "waiting"]
        now = max((task.waits_since for task in waiting), default=0)
        if not is_core():
            now = max(now, time.clock_gettime_ns(time.CLOCK_MONOTONIC))
        print(f"  {'TASK':<9} {'HUB':>3}  {'STATE':<8} {'SINCE':>9}  {'WAITS IN':<32} NAME")
        for task in found:
            # Noted only when someone may ask for it.
            since = f"{(now - task.waits_since) / 1e9:.3f} s" if task in waiting and task.waits_since else ""
            call = waits_for(task) if task in waiting else ""
            mark = "*" if task.thread else " "
            print(f"{mark} {task.id:<9} {task.hub:>3}  {task.state:<8} {since:>9}  {call:<32} {task.name}".rstrip())
        print(f"{len(found)} tasks, {len(waiting)} of them waiting")


def own_address(address):
    """The program's own address for one in a stub of libcoop's: that to which the stub jumps back at its end."""
    if gdb.solib_name(address) or gdb.current_progspace().block_for_pc(address):
        return address
    instructions = gdb.selected_inferior().architecture().disassemble(address, count=8)
    for instruction in instructions:
        back = re.match(r"jmp\s+(0x[0-9a-f]+)", instruction["asm"])
        if back:
            return int(back[1], 16)
    return address


class FrameId:
    """What tells a frame from others (gdb has such a class of its own only from version 14 on)."""

    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class FromTask(Unwinder):
    """Says that the innermost frame of the selected thread was called from a task's saved registers."""

    def __init__(self):
        super().__init__("libcoop task")
        self.task = self.innermost = None

    def __call__(self, pending):
        # Inlined functions make several frames of the innermost one, and gdb asks about the last of them.
        if self.task is None or pending.read_register("rsp") != self.innermost:
            return None
        kind = gdb.selected_inferior().architecture().integer_type(64, False)
        # The task's stack pointer, so that what follows lies further out on the same stack, as gdb demands.
        stack = gdb.Value(self.task.registers["rsp"]).cast(kind)
        info = pending.create_unwind_info(FrameId(stack, pending.read_register("rip")))
        for name, value in self.task.registers.items():
            if name == "rip":
                value = own_address(value)
            info.add_saved_register(name, gdb.Value(value).cast(kind))
        return info

    def run(self, task, command):
        """Runs a command as seen from a task's innermost frame."""
        self.innermost = gdb.newest_frame().read_register("rsp")
        self.task = task
        gdb.invalidate_cached_frames()
        try:
            frame = gdb.newest_frame()
            while frame and frame.pc() != own_address(task.registers["rip"]):
                frame = frame.older()
            if frame is None:
                raise gdb.GdbError(f"gdb did not find the stack of task {task.id}")
            frame.select()
            if re.match(r"(bt|backtrace|where)\b", command):
                print(renumbered(gdb.execute(command, to_string=True), frame.level()), end="")
            else:
                gdb.execute(command)
        finally:
            self.task = None
            gdb.invalidate_cached_frames()


def renumbered(trace, first):
    """A backtrace from frame `first` on, counted from 0: the frames before are the selected thread's."""
    shown = []
    for frame in re.split(r"^(?=#\d+ )", trace, flags=re.M):
        number = re.match(r"#(\d+) +", frame)
        if number and int(number[1]) >= first:
            shown.append(f"#{int(number[1]) - first}".ljust(4) + frame[number.end() :])
    return "".join(shown)


from_task = FromTask()
register_unwinder(None, from_task, replace=True)


class TaskCommand(gdb.Command):
    """task ID COMMAND runs a gdb command as seen from a task: task 4194305 bt.
task apply all COMMAND does so for each task."""

    def __init__(self):
        super().__init__("task", gdb.COMMAND_STACK)

    def invoke(self, argument, _from_tty):
        for_all = re.fullmatch(r"apply\s+all\s+(.+)", argument.strip())
        for_one = re.fullmatch(r"(\d+)\s+(.+)", argument.strip())
        if for_all:
            for task in tasks():
                print(f"\nTask {task.id} ({task.name}), {task.state}:")
                self.run(task, for_all[1])
        elif for_one:
            self.run(task_of(int(for_one[1])), for_one[2])
        else:
            raise gdb.GdbError("usage: task ID COMMAND, or task apply all COMMAND")

    @staticmethod
    def run(task, command):
        if task.thread:
            on(task.thread, lambda: gdb.execute(command))
        else:
            from_task.run(task, command)


InfoTasks()
TaskCommand()
