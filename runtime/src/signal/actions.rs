//! What the program's signals do (sigaction(2)): kept here for all its tasks.

use super::{bit, fault, shared, UNBLOCKABLE};
use crate::sys;
use crate::sys::Errno;
use crate::task::{self, lock};
use std::sync::{Mutex, MutexGuard};

const IGNORED_BY_DEFAULT: u64 =
    bit(libc::SIGCHLD) | bit(libc::SIGURG) | bit(libc::SIGWINCH) | bit(libc::SIGCONT);
pub(super) const STOPS_BY_DEFAULT: u64 =
    bit(libc::SIGSTOP) | bit(libc::SIGTSTP) | bit(libc::SIGTTIN) | bit(libc::SIGTTOU);

/// The kernel's `struct sigaction`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Action {
    pub handler: usize,
    pub flags: u64,
    pub restorer: usize,
    pub mask: u64,
}

/// What a signal does, going by its action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Disposition {
    Ignore,
    Kill,
    Stop,
    Handle,
}

impl Action {
    /// The flags that there are: those of sigaction(2) with SA_RESTORER and SA_EXPOSE_TAGBITS. Linux clears others, so that a program can
    /// see which it knows.
    const FLAGS: u64 = 0xdc00_0807;

    /// Has the kernel do this on a signal.
    pub(crate) fn install(&self, signal: i32) -> Result<(), Errno> {
        // SAFETY: reads one action.
        unsafe { sys!(SYS_rt_sigaction, signal, self, 0, 8) }.map(|_| ())
    }

    pub(super) fn disposition(&self, signal: i32) -> Disposition {
        match self.handler {
            libc::SIG_IGN => Disposition::Ignore,
            libc::SIG_DFL if IGNORED_BY_DEFAULT & bit(signal) != 0 => Disposition::Ignore,
            libc::SIG_DFL if STOPS_BY_DEFAULT & bit(signal) != 0 => Disposition::Stop,
            libc::SIG_DFL => Disposition::Kill,
            _ => Disposition::Handle,
        }
    }
}

static ACTIONS: Mutex<[Action; 65]> = Mutex::new(
    [Action {
        handler: 0,
        flags: 0,
        restorer: 0,
        mask: 0,
    }; 65],
);

/// Reads the program's actions from the kernel. At conversion.
pub fn read_actions() {
    let mut actions = lock(&ACTIONS);
    for signal in 1..=64 {
        // SAFETY: writes one action.
        let _ = unsafe {
            sys!(
                SYS_rt_sigaction,
                signal,
                0,
                &mut actions[signal as usize],
                8
            )
        };
    }
}

/// From here on the kernel's handler of what the program handles is the library's ([`super::struck_in_window`]). At conversion.
pub fn take_actions_over() {
    let actions = lock(&ACTIONS);
    for (signal, action) in (1..).zip(actions[1..].iter()) {
        if is_handled(signal, action) {
            let _ = taken_over(action).install(signal);
        }
    }
}

/// The kernel has the program's actions again: there is no conversion after all.
pub fn give_actions_back() {
    for (signal, action) in actions_of_child(false) {
        let _ = action.install(signal);
    }
}

/// Whether a signal is handled by the program; those that are [ours](fault::is_ours) the kernel never knows of.
fn is_handled(signal: i32, action: &Action) -> bool {
    !fault::is_ours(signal) && action.disposition(signal) == Disposition::Handle
}

/// What the kernel has instead of a handler of the program's. Nothing interrupts it: whoever goes on with the signal sees to the mask.
fn taken_over(action: &Action) -> Action {
    const RESTORER: u64 = 0x0400_0000;
    let crossing = crate::hub::crossing();
    let kept = action.flags & !(libc::SA_RESETHAND as u32 as u64);
    Action {
        handler: crossing.on_signal,
        flags: kept | libc::SA_SIGINFO as u64 | RESTORER,
        restorer: crossing.restorer,
        mask: !0,
    }
}

pub(super) fn lock_actions() -> MutexGuard<'static, [Action; 65]> {
    lock(&ACTIONS)
}

pub(crate) fn action(signal: i32) -> Action {
    lock(&ACTIONS)[signal as usize]
}

/// The same, unless somebody has the lock.
pub(super) fn try_action(signal: i32) -> Option<Action> {
    let actions = ACTIONS.try_lock().ok()?;
    Some(actions[signal as usize])
}

/// Changes an action, in the kernel too, and gives the old one.
pub(crate) fn set_action(signal: i32, new: Option<Action>) -> Result<Action, Errno> {
    let mut actions = lock(&ACTIONS);
    let old = actions[signal as usize];
    if let Some(mut new) = new {
        // As the kernel keeps it.
        new.flags &= Action::FLAGS;
        new.mask &= !UNBLOCKABLE;
        if is_handled(signal, &new) {
            taken_over(&new).install(signal)?;
        } else if !fault::is_ours(signal) {
            new.install(signal)?;
        }
        actions[signal as usize] = new;
        if new.disposition(signal) == Disposition::Ignore {
            // sigaction(2): setting a pending signal to be ignored discards it.
            drop(actions);
            shared::forget(signal);
            for task in task::all() {
                let mut own = lock(&task.signals);
                while own.take(bit(signal)).is_some() {}
            }
        }
    }
    Ok(old)
}

/// What a forked child, which is native, gives the kernel: the program's actions where ours differ. `cleared`: without its handlers, which the
/// kernel has removed.
pub(crate) fn actions_of_child(cleared: bool) -> Vec<(i32, Action)> {
    let actions = lock(&ACTIONS);
    let mut differing = Vec::new();
    for (signal, action) in (1..).zip(actions[1..].iter()) {
        let is_ours = fault::is_ours(signal);
        if is_ours && cleared && action.handler != libc::SIG_IGN {
            differing.push((signal, Action::default()));
        } else if is_ours || is_handled(signal, action) && !cleared {
            differing.push((signal, *action));
        }
    }
    differing
}
