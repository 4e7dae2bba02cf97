//! What a thread may set of its scheduling: policy and priority, nice value, CPUs, I/O priority (sched(7), setpriority(2), ioprio_set(2)).
//!
//! Each is a thread's own in Linux, and a hub carries many: one task's wish must not become the fate of the others. So these are kept
//! for each task, checked as the kernel checks them, told to whoever asks, inherited by new threads, taken along by new processes and programs, and otherwise without
//! effect: ready tasks run in turn. What was set for the process before its first thread was created holds for the hubs.

use super::Call;
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::task::{self, lock, Task};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

/// The most bytes of a CPU mask.
const MASK: usize = 128;
const RESET_ON_FORK: i32 = libc::SCHED_RESET_ON_FORK;
const SCHED_DEADLINE: i32 = 6;
const IOPRIO_WHO_PROCESS: i32 = 1;

/// What a task has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wishes {
    policy: i32,
    priority: i32,
    nice: i32,
    reset_on_fork: bool,
    io: Option<usize>,
    cpus: Option<[u8; MASK]>,
}

/// Of tasks that have something of their own, by id.
static WISHES: Mutex<BTreeMap<i32, Wishes>> = Mutex::new(BTreeMap::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// What the hubs have, and with them every task that has nothing of its own.
fn of_process() -> Wishes {
    let mut parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: these ask about the calling thread, whom nobody changes.
    unsafe {
        let policy = sys!(SYS_sched_getscheduler, 0).unwrap_or(0) as i32;
        let _ = sys!(SYS_sched_getparam, 0, &mut parameters);
        let nice = sys!(SYS_getpriority, libc::PRIO_PROCESS, 0).unwrap_or(20) as i32;
        Wishes {
            policy: policy & !RESET_ON_FORK,
            priority: parameters.sched_priority,
            nice: 20 - nice,
            reset_on_fork: policy & RESET_ON_FORK != 0,
            io: None,
            cpus: None,
        }
    }
}

fn of(id: i32) -> Wishes {
    if COUNT.load(Ordering::Acquire) == 0 {
        return of_process();
    }
    let known = lock(&WISHES).get(&id).copied();
    known.unwrap_or_else(of_process)
}

fn set(id: i32, wishes: Wishes) {
    let mut all = lock(&WISHES);
    all.insert(id, wishes);
    COUNT.store(all.len(), Ordering::Release);
}

/// A new thread has what its maker has.
pub(crate) fn inherit(parent: &Task, child: &Task) {
    if COUNT.load(Ordering::Acquire) == 0 {
        return;
    }
    let Some(mut wishes) = lock(&WISHES).get(&parent.id()).copied() else {
        return;
    };
    if wishes.reset_on_fork {
        let real_time = [libc::SCHED_FIFO, libc::SCHED_RR].contains(&wishes.policy);
        (wishes.policy, wishes.priority) = (if real_time { 0 } else { wishes.policy }, 0);
        wishes.nice = wishes.nice.max(0);
        wishes.reset_on_fork = false;
    }
    set(child.id(), wishes);
}

/// What a task has, if that is anything of its own.
pub(crate) fn wishes(id: i32) -> Option<Wishes> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return None;
    }
    lock(&WISHES).get(&id).copied()
}

/// Gives the calling thread what a task has, if that has anything of its own: a new process or program is to begin with it. Gives back
/// what the thread had.
pub(crate) fn assume(id: i32) -> Option<Wishes> {
    let wishes = wishes(id)?;
    let mut before = of_process();
    before.cpus = allowed().ok().map(|(mask, _)| mask);
    before.io = Some(0);
    wishes.apply();
    Some(before)
}

impl Wishes {
    /// Makes them the calling thread's, as far as that may be.
    pub(crate) fn apply(&self) {
        let flag = if self.reset_on_fork { RESET_ON_FORK } else { 0 };
        let parameters = libc::sched_param {
            sched_priority: self.priority,
        };
        // SAFETY: these change the calling thread, and read what is alive.
        unsafe {
            let _ = sys!(SYS_sched_setscheduler, 0, self.policy | flag, &parameters);
            let _ = sys!(SYS_setpriority, libc::PRIO_PROCESS, 0, self.nice);
            if let Some(io) = self.io {
                let _ = sys!(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, io);
            }
            if let Some(cpus) = &self.cpus {
                let _ = sys!(SYS_sched_setaffinity, 0, MASK, cpus.as_ptr());
            }
        }
    }
}

/// A task ends.
pub(crate) fn forget(id: i32) {
    if COUNT.load(Ordering::Acquire) != 0 {
        let mut all = lock(&WISHES);
        all.remove(&id);
        COUNT.store(all.len(), Ordering::Release);
    }
}

/// In a forked child.
pub(crate) fn reset() {
    lock(&WISHES).clear();
    COUNT.store(0, Ordering::Release);
}

/// The task that an id means: the caller for 0. `None`: a thread of another process, for the kernel.
fn task_of(call: Call, id: i32) -> Option<i32> {
    match id {
        0 => Some(call.task.id()),
        id => task::find(id).map(Task::id),
    }
}

fn limit(resource: u32) -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: fills the struct.
    let _ = unsafe { sys!(SYS_prlimit64, 0, resource, 0, &mut limit) };
    limit.rlim_cur
}

/// CAP_SYS_NICE, in force.
fn may_all() -> bool {
    const VERSION_3: u32 = 0x2008_0522;
    const SYS_NICE: u32 = 23;
    let header = [VERSION_3, 0];
    let mut sets = [0u32; 6];
    // SAFETY: the header and the data of version 3; the first word of the data is what is effective.
    unsafe { sys!(SYS_capget, header.as_ptr(), sets.as_mut_ptr()) }.is_ok()
        && sets[0] & 1 << SYS_NICE != 0
}

fn may_nice(from: i32, to: i32) -> bool {
    let lowest = i64::try_from(limit(libc::RLIMIT_NICE)).map_or(-20, |l| 20 - l.min(40));
    to >= from || i64::from(to) >= lowest || may_all()
}

/// Changes policy and priority; sched_setscheduler(2) says what is refused.
fn change(id: i32, policy: i32, priority: i32, nice: Option<i32>) -> SysResult {
    let mut wishes = of(id);
    let reset_on_fork = policy & RESET_ON_FORK != 0;
    let policy = policy & !RESET_ON_FORK;
    let real_time = [libc::SCHED_FIFO, libc::SCHED_RR].contains(&policy);
    let known = [libc::SCHED_OTHER, libc::SCHED_BATCH, libc::SCHED_IDLE].contains(&policy);
    match (real_time, known) {
        (true, _) if (1..=99).contains(&priority) => {}
        (_, true) if priority == 0 => {}
        _ => return Err(Errno::INVAL),
    }
    let may = if real_time {
        let most = limit(libc::RLIMIT_RTPRIO);
        let was = if [libc::SCHED_FIFO, libc::SCHED_RR].contains(&wishes.policy) {
            wishes.priority
        } else {
            0
        };
        (policy == wishes.policy || most != 0)
            && (priority <= was || u64::try_from(priority).unwrap_or(0) <= most)
    } else {
        let leaves_idle = wishes.policy == libc::SCHED_IDLE && policy != libc::SCHED_IDLE;
        (!leaves_idle || may_nice(20, wishes.nice)) && nice.is_none_or(|n| may_nice(wishes.nice, n))
    };
    if !may && !may_all() {
        return Err(Errno::PERM);
    }
    (wishes.policy, wishes.priority) = (policy, priority);
    wishes.reset_on_fork = reset_on_fork;
    if let (false, Some(nice)) = (real_time, nice) {
        wishes.nice = nice.clamp(-20, 19);
    }
    set(id, wishes);
    Ok(0)
}

/// sched_setscheduler(2).
pub(crate) fn sched_setscheduler(
    call: Call,
    id: i32,
    policy: i32,
    parameters: *const i32,
) -> SysResult {
    let Some(id) = task_of(call, id) else {
        return call.raw();
    };
    if policy < 0 || parameters.is_null() {
        return Err(Errno::INVAL);
    }
    // SAFETY: the program's struct, which is one number.
    change(id, policy, unsafe { read_user(parameters) }?, None)
}

/// sched_setparam(2).
pub(crate) fn sched_setparam(call: Call, id: i32, parameters: *const i32) -> SysResult {
    let Some(id) = task_of(call, id) else {
        return call.raw();
    };
    if parameters.is_null() {
        return Err(Errno::INVAL);
    }
    let now = of(id);
    let flag = if now.reset_on_fork { RESET_ON_FORK } else { 0 };
    // SAFETY: as above.
    change(
        id,
        now.policy | flag,
        unsafe { read_user(parameters) }?,
        None,
    )
}

/// sched_getscheduler(2).
pub(crate) fn sched_getscheduler(call: Call, id: i32) -> SysResult {
    let Some(id) = task_of(call, id) else {
        return call.raw();
    };
    let now = of(id);
    let flag = if now.reset_on_fork { RESET_ON_FORK } else { 0 };
    Ok(usize::try_from(now.policy | flag).unwrap_or(0))
}

/// sched_getparam(2).
pub(crate) fn sched_getparam(call: Call, id: i32, parameters: *mut i32) -> SysResult {
    let Some(id) = task_of(call, id) else {
        return call.raw();
    };
    if parameters.is_null() {
        return Err(Errno::INVAL);
    }
    // SAFETY: the program's struct.
    unsafe { write_user(parameters, of(id).priority) }?;
    Ok(0)
}

/// `struct sched_attr`, in its first version.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    /// Of SCHED_DEADLINE: runtime, deadline, period.
    times: [u64; 3],
}

/// sched_setattr(2).
#[allow(clippy::cast_possible_wrap)]
pub(crate) fn sched_setattr(
    call: Call,
    id: i32,
    attributes: *const Attributes,
    flags: u32,
) -> SysResult {
    const RESET: u64 = 1;
    const KEEP_POLICY: u64 = 8;
    const KEEP_PARAMS: u64 = 16;
    let Some(id) = task_of(call, id) else {
        return call.raw();
    };
    if attributes.is_null() || flags != 0 {
        return Err(Errno::INVAL);
    }
    // SAFETY: the program's struct.
    let wanted = unsafe { read_user(attributes) }?;
    let now = of(id);
    if wanted.flags & !(RESET | KEEP_POLICY | KEEP_PARAMS) != 0 {
        return Err(Errno::INVAL);
    }
    if wanted.policy as i32 == SCHED_DEADLINE && wanted.flags & KEEP_POLICY == 0 {
        // "Admission control failure": a hub cannot promise it to one task.
        return Err(Errno(libc::EBUSY));
    }
    let policy = if wanted.flags & KEEP_POLICY != 0 {
        now.policy
    } else {
        wanted.policy as i32
    };
    let (priority, nice) = if wanted.flags & KEEP_PARAMS != 0 {
        (now.priority, now.nice)
    } else {
        (wanted.priority as i32, wanted.nice)
    };
    let flag = if wanted.flags & RESET != 0 {
        RESET_ON_FORK
    } else {
        0
    };
    change(id, policy | flag, priority, Some(nice))
}

/// sched_getattr(2).
#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)]
pub(crate) fn sched_getattr(
    call: Call,
    id: i32,
    attributes: *mut Attributes,
    size: u32,
    flags: u32,
) -> SysResult {
    let Some(id) = task_of(call, id) else {
        return call.raw();
    };
    if attributes.is_null() || flags != 0 || (size as usize) < size_of::<Attributes>() {
        return Err(Errno::INVAL);
    }
    let now = of(id);
    let real_time = now.priority != 0;
    let answer = Attributes {
        size: size_of::<Attributes>() as u32,
        policy: now.policy as u32,
        flags: u64::from(now.reset_on_fork),
        nice: if real_time { 0 } else { now.nice },
        priority: now.priority as u32,
        times: [0; 3],
    };
    // SAFETY: the program's struct, at least as large.
    unsafe { write_user(attributes, answer) }?;
    Ok(0)
}

/// getpriority(2): 20 less the nice value.
pub(crate) fn getpriority(call: Call, which: i32, id: i32) -> SysResult {
    match task_of(call, id) {
        Some(id) if which == libc::PRIO_PROCESS as i32 => {
            Ok(usize::try_from(20 - of(id).nice).unwrap_or(20))
        }
        _ => call.raw(),
    }
}

/// setpriority(2).
pub(crate) fn setpriority(call: Call, which: i32, id: i32, nice: i32) -> SysResult {
    let id = match task_of(call, id) {
        Some(id) if which == libc::PRIO_PROCESS as i32 => id,
        _ => return call.raw(),
    };
    let nice = nice.clamp(-20, 19);
    let mut wishes = of(id);
    if !may_nice(wishes.nice, nice) {
        return Err(Errno(libc::EACCES));
    }
    wishes.nice = nice;
    set(id, wishes);
    Ok(0)
}

/// ioprio_set(2): the kernel judges the value, for a thread that is none of ours.
pub(crate) fn ioprio_set(call: Call, which: i32, id: i32, priority: usize) -> SysResult {
    const CLASS_SHIFT: usize = 13;
    const CLASS_REAL_TIME: usize = 1;
    const CLASS_IDLE: usize = 3;
    let id = match task_of(call, id) {
        Some(id) if which == IOPRIO_WHO_PROCESS => id,
        _ => return call.raw(),
    };
    let (class, level) = (priority >> CLASS_SHIFT & 7, priority & 7);
    match class {
        0 if level != 0 => return Err(Errno::INVAL),
        CLASS_REAL_TIME if !may_all() => return Err(Errno::PERM),
        0..=CLASS_IDLE => {}
        _ => return Err(Errno::INVAL),
    }
    let mut wishes = of(id);
    wishes.io = Some(priority);
    set(id, wishes);
    Ok(0)
}

/// ioprio_get(2).
pub(crate) fn ioprio_get(call: Call, which: i32, id: i32) -> SysResult {
    match task_of(call, id) {
        Some(id) if which == IOPRIO_WHO_PROCESS => match of(id).io {
            Some(io) => Ok(io),
            None => of_hub(call, 1),
        },
        _ => call.raw(),
    }
}

/// sched_rr_get_interval(2): the hub's.
pub(crate) fn sched_rr_get_interval(call: Call, id: i32) -> SysResult {
    match task_of(call, id) {
        Some(_) => of_hub(call, 0),
        None => call.raw(),
    }
}

/// Asks the kernel about the hub's thread: argument `at` is the id.
fn of_hub(call: Call, at: usize) -> SysResult {
    let mut args = call.args;
    args[at] = 0;
    // SAFETY: the program's call, about the calling thread.
    sys::check(unsafe { sys::syscall_raw(call.number, args) })
}

/// The CPUs that the hubs may use, and how many bytes of mask the kernel gives.
fn allowed() -> Result<([u8; MASK], usize), Errno> {
    let mut mask = [0; MASK];
    // SAFETY: fills the buffer.
    let len = unsafe { sys!(SYS_sched_getaffinity, 0, MASK, mask.as_mut_ptr()) }?;
    Ok((mask, len))
}

/// sched_setaffinity(2): a mask must allow one of the CPUs that there are.
pub(crate) fn sched_setaffinity(call: Call, id: i32, len: usize, mask: *const u8) -> SysResult {
    let Some(id) = task_of(call, id) else {
        return call.raw();
    };
    let (mut cpus, known) = allowed()?;
    for (at, byte) in cpus.iter_mut().enumerate() {
        *byte &= if at < len.min(known) {
            // SAFETY: the program's mask.
            unsafe { read_user(mask.wrapping_add(at)) }?
        } else {
            0
        };
    }
    if cpus.iter().all(|b| *b == 0) {
        return Err(Errno::INVAL);
    }
    let mut wishes = of(id);
    wishes.cpus = Some(cpus);
    set(id, wishes);
    Ok(0)
}

/// sched_getaffinity(2).
pub(crate) fn sched_getaffinity(call: Call, id: i32, len: usize, mask: *mut u8) -> SysResult {
    let Some(id) = task_of(call, id) else {
        return call.raw();
    };
    let Some(cpus) = of(id).cpus else {
        return of_hub(call, 0);
    };
    let (_, known) = allowed()?;
    if len < known || len % 8 != 0 {
        return Err(Errno::INVAL);
    }
    for (at, byte) in cpus.iter().enumerate().take(known) {
        // SAFETY: the program's buffer.
        unsafe { write_user(mask.wrapping_add(at), *byte) }?;
    }
    Ok(known)
}
