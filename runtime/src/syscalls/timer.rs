//! POSIX timers whose signals are for a task (`SIGEV_THREAD_ID`, on which libc builds `SIGEV_THREAD`), and those that measure the CPU time of one.
//!
//! The kernel does not know tasks. A timer of the first kind it makes for the receiver, to which it sends [`signal::RELAY`]; here is found whose
//! that is, and the task gets the signal that the program asked for, as the kernel would have made it.
//!
//! For one of the second kind it makes a timer that never runs, for its number and its limits. The receiver [looks](look_around), when it looks at the hubs,
//! whether the task has used what it should. The kernel does the same for its threads at its own ticks (`run_posix_cpu_timers`): the signal is late
//! by half a slice at most, and never early.
//!
//! All other timers are the kernel's own affair.

mod alarm;

use super::time::{nanoseconds, timespec};
use super::{clock, owner, Call};
use crate::heap;
use crate::hub::cpu;
use crate::signal::{self, receiver, Info, RELAY};
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::task::{self, lock, Task};
use alarm::Alarm;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;

/// The kernel's `struct sigevent`, as far as it is used.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Event {
    value: u64,
    signal: i32,
    notify: i32,
    id: i32,
    rest: [u32; 11],
}

impl Event {
    /// What a timer does of which nothing is said, but for its value: its own number.
    const DEFAULT: Self = Event {
        value: 0,
        signal: libc::SIGALRM,
        notify: libc::SIGEV_SIGNAL,
        id: 0,
        rest: [0; 11],
    };

    /// As `good_sigevent` of the kernel.
    fn target(&self) -> Result<Target, Errno> {
        let target = match self.notify {
            libc::SIGEV_NONE => return Ok(Target::Nobody),
            libc::SIGEV_SIGNAL | libc::SIGEV_THREAD => Target::Process,
            libc::SIGEV_THREAD_ID => {
                let task = task::find(self.id).ok_or(Errno::INVAL)?;
                Target::Task(task, self.id)
            }
            _ => return Err(Errno::INVAL),
        };
        if !(1..=64).contains(&self.signal) {
            return Err(Errno::INVAL);
        }
        Ok(target)
    }
}

/// Whom a timer's signal is for.
#[derive(Clone, Copy, Debug)]
enum Target {
    Nobody,
    Process,
    /// The task while it has this id.
    Task(&'static Task, i32),
}

/// A timer by the CPU time of a task, as long as this has that id.
#[derive(Clone, Copy, Debug)]
struct Cpu {
    task: &'static Task,
    id: i32,
    alarm: Alarm,
}

impl Cpu {
    fn of(task: &'static Task) -> Self {
        Cpu {
            task,
            id: task.id(),
            alarm: Alarm::OFF,
        }
    }

    /// What the clock shows. `None`: the task has ended.
    fn shows(&self) -> Option<u64> {
        task::find(self.id).map(cpu::time)
    }
}

/// A timer that the kernel does not send the signals of.
#[derive(Clone, Copy, Debug)]
struct Timer {
    target: Target,
    signal: i32,
    value: u64,
    /// What `timer_getoverrun` says: of the signal that was taken last.
    overrun: u32,
    /// `None`: it goes by one of the kernel's clocks.
    cpu: Option<Cpu>,
    /// One for the process is in the kernel's queue, and was due so often since.
    sent: bool,
    missed: u32,
}

static TIMERS: Mutex<BTreeMap<i32, Timer>> = Mutex::new(BTreeMap::new());
/// Whether one of them is to be looked at. Changed under their lock.
static ARMED: AtomicBool = AtomicBool::new(false);

/// timer_create(2).
pub(crate) fn create(call: Call, clock: i32, event: *const Event, timer: *mut i32) -> SysResult {
    let asked = if event.is_null() {
        Event::DEFAULT
    } else {
        // SAFETY: the program's struct.
        unsafe { read_user(event) }?
    };
    let cpu = clock::task_of(call, clock).map(Cpu::of);
    if cpu.is_none() && asked.notify != libc::SIGEV_THREAD_ID {
        return call.raw();
    }
    let target = asked.target()?;
    if heap::is_scarce() {
        return Err(Errno::AGAIN);
    }
    let relayed = Event {
        signal: RELAY,
        id: receiver::tid(),
        ..asked
    };
    let never = Event {
        notify: libc::SIGEV_NONE,
        ..asked
    };
    let (clock, kernels) = match cpu {
        Some(_) => (libc::CLOCK_MONOTONIC, never),
        None => (clock, relayed),
    };
    let mut made = 0i32;
    // Under the lock: its first signal may come at once.
    let mut timers = lock(&TIMERS);
    // SAFETY: both are ours; the program's word is written below.
    unsafe {
        sys!(SYS_timer_create, clock, &kernels, &mut made)?;
        if let Err(e) = write_user(timer, made) {
            let _ = sys!(SYS_timer_delete, made);
            return Err(e);
        }
    }
    #[allow(clippy::cast_sign_loss)]
    let own_number = made as u64;
    let value = if event.is_null() {
        own_number
    } else {
        asked.value
    };
    timers.insert(made, Timer::new(target, asked.signal, value, cpu));
    Ok(0)
}

/// timer_delete(2).
pub(crate) fn delete(call: Call, timer: i32) -> SysResult {
    let mut timers = lock(&TIMERS);
    let result = call.raw()?;
    timers.remove(&timer);
    note_armed(&timers);
    Ok(result)
}

/// setitimer(2) and alarm(2): who disarms a timer expects no signal of it afterwards. One that it has sent before is handled before the call
/// returns, as natively, and not when the receiver hears of it.
pub(crate) fn set(call: Call) -> SysResult {
    let result = call.raw();
    signal::consider_all();
    result
}

/// The kernel's `struct itimerspec`: the interval, and the value.
pub(crate) type Spec = [libc::timespec; 2];

/// timer_settime(2); see [`set`], too.
pub(crate) fn settime(
    call: Call,
    timer: i32,
    flags: i32,
    new: *const Spec,
    old: *mut Spec,
) -> SysResult {
    if cpu_of(timer).is_none() || new.is_null() {
        return set(call);
    }
    // SAFETY: the program's struct.
    let [interval, value] = unsafe { read_user(new) }?;
    let (interval, value) = (nanoseconds(interval)?, nanoseconds(value)?);
    let mut timers = lock(&TIMERS);
    let cpu = timers.get_mut(&timer).and_then(|t| t.cpu.as_mut());
    let cpu = cpu.ok_or(Errno::INVAL)?;
    let now = cpu.shows().ok_or(Errno::SRCH)?;
    let before = cpu.alarm.left(now);
    let is_relative = value != 0 && flags & libc::TIMER_ABSTIME == 0;
    let when = if is_relative {
        now.saturating_add(value)
    } else {
        value
    };
    cpu.alarm.set(when, interval);
    let is_alone = cpu.task.hub().is_lone();
    note_armed(&timers);
    drop(timers);
    if is_alone {
        // The receiver may not have had any reason to look.
        receiver::ring();
    }
    look_around();
    signal::consider_all();
    if !old.is_null() {
        // SAFETY: the program's struct.
        unsafe { write_user(old, spec(before)) }?;
    }
    Ok(0)
}

/// timer_gettime(2).
pub(crate) fn gettime(call: Call, timer: i32, shown: *mut Spec) -> SysResult {
    let Some((mut cpu, target)) = cpu_of(timer) else {
        return call.raw();
    };
    let left = match cpu.shows() {
        Some(now) => {
            if matches!(target, Target::Nobody) {
                cpu.alarm.advance(now);
            }
            cpu.alarm.left(now)
        }
        None => [0, cpu.alarm.left(0)[1]],
    };
    // SAFETY: the program's struct.
    unsafe { write_user(shown, spec(left)) }.map(|()| 0)
}

/// timer_getoverrun(2): of the signal that was taken last.
pub(crate) fn getoverrun(call: Call, timer: i32) -> SysResult {
    match lock(&TIMERS).get(&timer) {
        Some(timer) => Ok(timer.overrun as usize),
        None => call.raw(),
    }
}

fn cpu_of(timer: i32) -> Option<(Cpu, Target)> {
    let timers = lock(&TIMERS);
    let timer = timers.get(&timer)?;
    Some((timer.cpu?, timer.target))
}

fn spec([left, interval]: [u64; 2]) -> Spec {
    [timespec(interval), timespec(left)]
}

impl Timer {
    fn new(target: Target, signal: i32, value: u64, cpu: Option<Cpu>) -> Self {
        Timer {
            target,
            signal,
            value,
            overrun: 0,
            cpu,
            sent: false,
            missed: 0,
        }
    }

    /// What it has to send now, and to whom.
    fn due(&mut self, number: i32) -> Option<(Target, Info)> {
        if !self.is_watched() {
            return None;
        }
        let cpu = self.cpu.as_mut()?;
        let times = cpu.alarm.advance(cpu.shows()?);
        if times == 0 {
            return None;
        }
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        // For a task this is done where its signals are.
        let is_pending = self.sent && signal::is_pending(self.signal);
        self.missed = self.missed.saturating_add(times);
        if is_pending {
            return None;
        }
        self.sent = matches!(self.target, Target::Process);
        let overrun = std::mem::take(&mut self.missed) - 1;
        let info = Info::of_timer(self.signal, number, overrun, self.value);
        Some((self.target, info))
    }

    fn is_watched(&self) -> bool {
        !matches!(self.target, Target::Nobody) && self.cpu.is_some_and(|c| c.alarm.is_armed())
    }
}

fn note_armed(timers: &BTreeMap<i32, Timer>) {
    ARMED.store(timers.values().any(Timer::is_watched), Ordering::Relaxed);
}

/// Sends what is due of the timers on tasks' CPU clocks, of each once. Nothing is held meanwhile: who is told takes the signal, maybe, and notes that here.
pub(crate) fn look_around() {
    if !is_watched() {
        return;
    }
    let mut next = 0;
    loop {
        let mut timers = lock(&TIMERS);
        let due = timers
            .range_mut(next..)
            .find_map(|(number, timer)| Some((*number, timer.due(*number)?)));
        let Some((number, (target, info))) = due else {
            return note_armed(&timers);
        };
        drop(timers);
        match target {
            Target::Task(task, id) => drop(signal::post_to(task, id, info)),
            _ => signal::queue(&info),
        }
        next = number + 1;
    }
}

/// Whether there are any that a look may find due.
pub(crate) fn is_watched() -> bool {
    ARMED.load(Ordering::Relaxed)
}

/// Whether the receiver must look although all hubs sleep: it does not know whether a task that has a hub alone does.
pub(crate) fn watches_lone() -> bool {
    let is_lone = |t: &Timer| t.is_watched() && t.cpu.is_some_and(|c| c.task.hub().is_lone());
    is_watched() && lock(&TIMERS).values().any(is_lone)
}

/// Takes over what the main thread made while it was the only one: timers on its CPU time, which the kernel would go on to take for the
/// receiver's. Called on the receiver's thread, which has been that thread.
pub(crate) fn adopt(main: &'static Task) {
    // Without CONFIG_CHECKPOINT_RESTORE there is no list.
    let list = std::fs::read_to_string("/proc/self/timers").unwrap_or_default();
    for entry in Entry::all(&list) {
        if clock::is_callers(entry.clock, main.id()) {
            let _ = entry.adopt(main);
        }
    }
}

/// What `/proc/PID/timers` says of a timer (proc_pid_timers(5)).
#[derive(Debug, PartialEq)]
struct Entry {
    number: i32,
    signal: i32,
    value: u64,
    notify: i32,
    clock: i32,
}

impl Entry {
    /// Those in a list.
    fn all(list: &str) -> Vec<Self> {
        let lines: Vec<&str> = list.lines().collect();
        lines.chunks(4).filter_map(Self::parse).collect()
    }

    fn parse(lines: &[&str]) -> Option<Self> {
        let mut lines = lines.iter();
        let mut field = |name| lines.next()?.strip_prefix(name);
        let number = field("ID: ")?.parse().ok()?;
        let (signal, value) = field("signal: ")?.split_once('/')?;
        let (how, whom) = field("notify: ")?.split_once('/')?;
        let clock = field("ClockID: ")?.parse().ok()?;
        let notify = match how {
            "none" => libc::SIGEV_NONE,
            _ if whom.starts_with("tid.") => libc::SIGEV_THREAD_ID,
            _ => libc::SIGEV_SIGNAL,
        };
        Some(Entry {
            number,
            signal: signal.parse().ok()?,
            value: u64::from_str_radix(value.trim_start_matches("0x"), 16).ok()?,
            notify,
            clock,
        })
    }

    fn adopt(self, main: &'static Task) -> SysResult {
        let event = Event {
            value: self.value,
            signal: self.signal,
            notify: self.notify,
            id: main.id(),
            rest: [0; 11],
        };
        let target = event.target()?;
        let zero = timespec(0);
        let mut was = [zero; 2];
        // SAFETY: both structs are ours.
        unsafe { sys!(SYS_timer_settime, self.number, 0, &[zero; 2], &mut was) }?;
        let [interval, left] = [nanoseconds(was[0])?, nanoseconds(was[1])?];
        let mut cpu = Cpu::of(main);
        if left != 0 {
            // By this thread's clock, which the main task's was until a moment ago.
            let now = sys::cpu_time(libc::CLOCK_THREAD_CPUTIME_ID);
            cpu::count_exactly();
            cpu.alarm.set(now + left, interval);
        }
        let mut timers = lock(&TIMERS);
        let timer = Timer::new(target, self.signal, self.value, Some(cpu));
        timers.insert(self.number, timer);
        note_armed(&timers);
        Ok(0)
    }
}

/// A timer's signal is taken: it tells how often the timer was due since it was sent.
pub(crate) fn taken(info: &mut Info) {
    let (number, overrun) = info.timer();
    let mut timers = lock(&TIMERS);
    // One that is relayed comes by another way, too.
    let timer = timers.get_mut(&number);
    let Some(timer) = timer.filter(|t| t.signal == info.signal) else {
        return;
    };
    timer.overrun = overrun.saturating_add(std::mem::take(&mut timer.missed));
    timer.sent = false;
    info.set_overrun(timer.overrun);
}

/// The kernel relayed something: on to the task that it is for. Gives it back if it is for none that is known here.
pub(crate) fn relayed(info: Info) -> Option<Info> {
    if info.code == libc::SI_TIMER {
        let (number, overrun) = info.timer();
        let timer = lock(&TIMERS).get(&number).copied();
        if let Some((timer, Target::Task(task, id))) = timer.map(|t| (t, t.target)) {
            let info = Info::of_timer(timer.signal, number, overrun, timer.value);
            let _ = signal::post_to(task, id, info);
        }
        return None;
    }
    if info.code > 0 {
        owner::relayed(&info);
        return None;
    }
    Some(info)
}

/// In a forked child, which has no timers.
pub(crate) fn reset() {
    lock(&TIMERS).clear();
    ARMED.store(false, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_is_understood() {
        // As `proc_pid_timers(5)` shows it.
        let list = "ID: 1\nsignal: 60/00007fff86e452a8\nnotify: signal/pid.2634\nClockID: 0\n\
                    ID: 0\nsignal: 14/0000000000000005\nnotify: signal/tid.2634\nClockID: -2\n";
        let [first, second] = Entry::all(list).try_into().unwrap();
        assert_eq!(
            (first.number, first.signal, first.value, first.notify),
            (1, 60, 0x7fff_86e4_52a8, libc::SIGEV_SIGNAL)
        );
        assert_eq!(
            (second.number, second.clock, second.notify),
            (0, -2, libc::SIGEV_THREAD_ID)
        );
    }
}
