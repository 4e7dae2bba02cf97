//! The signal calls; what signals do is in [`crate::signal`].

use super::{process, Call};
use crate::future::{sleep_until, until, Woken};
use crate::signal::frame::{self, AUTODISARM};
use crate::signal::{self, bit, Action, Info, Sigwait};
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::task;
use std::sync::atomic::Ordering;

/// rt_sigaction(2).
pub(crate) fn rt_sigaction(
    call: Call,
    signal: i32,
    new: *const Action,
    old: *mut Action,
    size: usize,
) -> SysResult {
    if size != 8 || !(1..=64).contains(&signal) {
        return Err(Errno::INVAL);
    }
    // SAFETY: the program's structs.
    unsafe {
        let new = if new.is_null() {
            None
        } else {
            Some(read_user(new)?)
        };
        if new.is_some() && (signal == libc::SIGKILL || signal == libc::SIGSTOP) {
            return Err(Errno::INVAL);
        }
        if new.is_some() && signal::comes_first(call.task, signal) {
            return Err(Errno::RESTART_NOINTR);
        }
        let was = signal::set_action(signal, new)?;
        if !old.is_null() {
            write_user(old, was)?;
        }
    }
    Ok(0)
}

/// rt_sigprocmask(2), of the task.
pub(crate) fn rt_sigprocmask(
    call: Call,
    how: i32,
    set: *const u64,
    old: *mut u64,
    size: usize,
) -> SysResult {
    if size != 8 {
        return Err(Errno::INVAL);
    }
    let task = call.task;
    let was = task.mask.load(Ordering::Relaxed);
    let brief = task.brief.take();
    // SAFETY: the program's masks.
    unsafe {
        if !set.is_null() {
            let set = read_user(set)?;
            let now = match how {
                libc::SIG_BLOCK => was | set,
                libc::SIG_UNBLOCK => was & !set,
                libc::SIG_SETMASK => set,
                _ => return Err(Errno::INVAL),
            };
            signal::change_mask(task, now, brief);
            let all = now | signal::NEVER_BLOCKED == !0;
            task.closed.set(if all { now & !was } else { 0 });
        }
        if !old.is_null() {
            write_user(old, was)?;
        }
    }
    Ok(0)
}

/// rt_sigpending(2).
pub(crate) fn rt_sigpending(call: Call, set: *mut u64, size: usize) -> SysResult {
    if size > 8 {
        return Err(Errno::INVAL);
    }
    // SAFETY: the program's mask.
    unsafe {
        write_user(
            set,
            signal::pending(call.task) & call.task.mask.load(Ordering::Relaxed),
        )
    }?;
    Ok(0)
}

/// kill(2): to the process itself it is at once, to others the kernel's.
pub(crate) fn kill(call: Call, pid: i32, signal: i32) -> SysResult {
    let (call, is_own) = process::named(call, 0, pid);
    if is_own && (1..=64).contains(&signal) {
        signal::cancel_opposites(signal);
    }
    if !is_own
        || signal == 0
        || !(1..=64).contains(&signal)
        || [libc::SIGKILL, libc::SIGSTOP].contains(&signal)
    {
        return call.raw();
    }
    if signal::UNBLOCKED & bit(signal) != 0 {
        // No hub blocks it, so the kernel would deliver it to one.
        signal::hold(Info::from_user(signal, libc::SI_USER));
        return Ok(0);
    }
    let sent = call.raw()?;
    signal::consider(signal);
    Ok(sent)
}

/// tkill(2).
pub(crate) fn tkill(call: Call, id: i32, signal: i32) -> SysResult {
    if id <= 0 {
        return Err(Errno::INVAL);
    }
    if task::find(id).is_none() {
        return call.raw();
    }
    to_task(id, signal)
}

/// tgkill(2).
pub(crate) fn tgkill(call: Call, process: i32, id: i32, signal: i32) -> SysResult {
    if id <= 0 {
        return Err(Errno::INVAL);
    }
    if process != sys::process_id() {
        return call.raw();
    }
    to_task(id, signal)
}

fn to_task(id: i32, signal: i32) -> SysResult {
    // Threads that are no tasks are the runtime's own, and none of the program's business.
    let task = task::find(id).ok_or(Errno::SRCH)?;
    match signal {
        0 => Ok(0),
        libc::SIGKILL | libc::SIGSTOP => {
            signal::cancel_opposites(signal);
            // Both are for the whole process in any case; sent to this very thread, they act before the call returns.
            // SAFETY: a plain call.
            unsafe { sys!(SYS_tgkill, sys::process_id(), sys::thread_id(), signal) }
        }
        1..=64 => signal::post_to(task, id, Info::from_user(signal, libc::SI_TKILL)).map(|()| 0),
        _ => Err(Errno::INVAL),
    }
}

/// rt_sigqueueinfo(2).
pub(crate) fn rt_sigqueueinfo(call: Call, pid: i32, signal: i32, info: *const Info) -> SysResult {
    let (call, is_own) = process::named(call, 0, pid);
    if !is_own || !(1..=64).contains(&signal) || [libc::SIGKILL, libc::SIGSTOP].contains(&signal) {
        return call.raw();
    }
    // SAFETY: the program's siginfo.
    let mut info = unsafe { read_user(info) }?;
    info.signal = signal;
    signal::cancel_opposites(signal);
    let as_kernel = info.code >= 0 || info.code == libc::SI_TKILL;
    if as_kernel && call.task.id() != pid {
        // Only a thread itself may say that a signal of its own is from kill(2).
        return Err(Errno::PERM);
    }
    if as_kernel || signal::UNBLOCKED & bit(signal) != 0 {
        signal::hold(info);
        return Ok(0);
    }
    let sent = call.raw()?;
    signal::consider(signal);
    Ok(sent)
}

/// rt_tgsigqueueinfo(2).
pub(crate) fn rt_tgsigqueueinfo(
    call: Call,
    process: i32,
    id: i32,
    signal: i32,
    info: *const Info,
) -> SysResult {
    let task = if process == sys::process_id() {
        task::find(id)
    } else {
        None
    };
    let Some(task) = task else { return call.raw() };
    if !(0..=64).contains(&signal) {
        return Err(Errno::INVAL);
    }
    // SAFETY: the program's siginfo.
    let mut info = unsafe { read_user(info) }?;
    if signal == 0 {
        return Ok(0);
    }
    info.signal = signal;
    signal::post_to(task, id, info).map(|()| 0)
}

/// sigaltstack(2), of the task.
pub(crate) fn sigaltstack(
    call: Call,
    new: *const libc::stack_t,
    old: *mut libc::stack_t,
) -> SysResult {
    let task = call.task;
    let (sp, size, flags) = task.altstack.get();
    let rsp = task.context().regs.rsp as usize;
    let on_it = frame::on_stack(rsp, task.altstack.get());
    // SAFETY: the program's structs.
    unsafe {
        let wanted = if new.is_null() {
            None
        } else {
            Some(read_user(new)?)
        };
        if let Some(wanted) = wanted {
            if on_it {
                return Err(Errno::PERM);
            }
            match wanted.ss_flags & !AUTODISARM {
                libc::SS_DISABLE => task.altstack.set((0, 0, libc::SS_DISABLE)),
                0 | libc::SS_ONSTACK if wanted.ss_size < libc::MINSIGSTKSZ => {
                    return Err(Errno::NOMEM)
                }
                0 | libc::SS_ONSTACK => {
                    let flags = wanted.ss_flags & AUTODISARM;
                    task.altstack
                        .set((wanted.ss_sp as usize, wanted.ss_size, flags))
                }
                _ => return Err(Errno::INVAL),
            }
        }
        if !old.is_null() {
            let ss_flags = if on_it { libc::SS_ONSTACK } else { flags };
            write_user(
                old,
                libc::stack_t {
                    ss_sp: sp as *mut libc::c_void,
                    ss_flags,
                    ss_size: size,
                },
            )?;
        }
    }
    Ok(0)
}

/// signalfd(2): the kernel's, as are the signals; see [`crate::signal::lend`] for a task's own.
pub(crate) fn signalfd(call: Call) -> SysResult {
    signal::will_be_read();
    call.raw()
}

/// pause(2).
pub(crate) async fn pause(call: Call) -> SysResult {
    sleep_until(call.task, u64::MAX).await;
    Err(Errno::RESTART_NOHAND)
}

/// rt_sigsuspend(2).
pub(crate) async fn rt_sigsuspend(call: Call, mask: *const u64, size: usize) -> SysResult {
    if size != 8 {
        return Err(Errno::INVAL);
    }
    // SAFETY: the program's mask.
    signal::mask_for_call(call.task, unsafe { read_user(mask) }?);
    sleep_until(call.task, u64::MAX).await;
    Err(Errno::RESTART_NOHAND)
}

/// rt_sigtimedwait(2).
pub(crate) async fn rt_sigtimedwait(
    call: Call,
    set: *const u64,
    info: *mut Info,
    timeout: *const libc::timespec,
    size: usize,
) -> SysResult {
    if size != 8 {
        return Err(Errno::INVAL);
    }
    // SAFETY: the program's mask and timespec.
    let (set, deadline) = unsafe {
        let deadline = if timeout.is_null() {
            u64::MAX
        } else {
            super::time::deadline_after(read_user(timeout)?)?
        };
        (
            read_user(set)? & !(bit(libc::SIGKILL) | bit(libc::SIGSTOP)),
            deadline,
        )
    };
    let task = call.task;
    let registered = Sigwait::new(task, set);
    let taken = until(
        task,
        std::future::poll_fn(|_| {
            signal::take(task, set).map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        }),
        deadline,
    )
    .await;
    drop(registered);
    match taken {
        Woken::Ready(got) => {
            if !info.is_null() {
                // SAFETY: the program's siginfo.
                unsafe { write_user(info, got) }?;
            }
            Ok(usize::try_from(got.signal).unwrap_or(0))
        }
        Woken::Timeout => Err(Errno::AGAIN),
        Woken::Signal => Err(Errno::RESTART_NOHAND),
    }
}
