//! Giving the pages of ended threads' stacks back, a little later than libc asks for it.
//!
//! A thread that ends asks with madvise(2) that its stack's pages be dropped; libc keeps the stack for the next thread. For a thread that
//! lived for a microsecond that is the largest part of its cost (the kernel looks at every page that might be there), and for nothing
//! if the next thread touches the same pages at once. So the stacks of the last few threads that ended are kept as they are. They are
//! trimmed when others take their place here, or when a hub has nothing to do.
//!
//! A stack is put here when its thread ends, not when it asks: until then frames may still be on it. It is taken out, untrimmed, when a
//! thread begins on it or when it is unmapped. What is here is thus nobody's, and trimmed under the lock.

use crate::signal;
use crate::stacks;
use crate::sys;
use crate::task::{lock, Task};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

/// How many stacks are kept.
const KEPT: usize = 16;

/// What libc leaves of a stack, at its upper end, is less than this.
const NEAR: usize = 1 << 16;

/// The parts of stacks that are to be trimmed, oldest first: (start, length).
static LATE: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Whether this request of a task is that of a thread about to end for its own stack, below where it is now. Then it is noted, and
/// there is nothing more to do until [`ended`].
///
/// libc blocks all signals but its own before it asks, which nobody does who goes on to use the stack.
pub(crate) fn note(task: &Task, at: usize, len: usize) -> bool {
    let sp = task.context().regs.rsp as usize;
    let own = at
        .checked_add(len)
        .is_some_and(|end| end <= sp && sp - end < NEAR);
    let ends = task.mask.load(Ordering::Relaxed) | signal::NEVER_BLOCKED == !0;
    let noted = own && ends && task.trim.get().1 == 0 && stacks::contains(at);
    if noted {
        task.trim.set((at, len));
    }
    noted
}

/// A thread ends: its stack is kept as it is for now.
pub(crate) fn ended(task: &Task) {
    let (at, len) = task.trim.take();
    if len == 0 {
        return;
    }
    let mut late = lock(&LATE);
    if late.len() == KEPT {
        trim(late.remove(0));
    }
    late.push((at, len));
    COUNT.store(late.len(), Ordering::Relaxed);
}

/// A thread begins on a stack: it is not to be trimmed any more. clone(2) says only where the `top` is, as both.
pub(crate) fn reused(bottom: usize, top: usize) {
    // Not stale: the stack came to the caller from whom it was free for, who has seen its last thread's end.
    if COUNT.load(Ordering::Relaxed) == 0 {
        return;
    }
    let (bottom, top) = if bottom == top {
        stacks::around(top - 1).unwrap_or((top - 1, top))
    } else {
        (bottom, top)
    };
    forget(bottom, top);
}

/// A stack is unmapped, and will be somebody's else.
pub(crate) fn unmapped(start: usize, len: usize) {
    if COUNT.load(Ordering::Relaxed) != 0 {
        forget(start, start.saturating_add(len));
    }
}

fn forget(start: usize, end: usize) {
    let mut late = lock(&LATE);
    late.retain(|(at, len)| at + len <= start || end <= *at);
    COUNT.store(late.len(), Ordering::Relaxed);
}

/// Trims all that is kept. For a hub that has nothing to do.
pub(crate) fn all() {
    if COUNT.load(Ordering::Relaxed) == 0 {
        return;
    }
    let mut late = lock(&LATE);
    late.drain(..).for_each(trim);
    COUNT.store(0, Ordering::Relaxed);
}

/// In a forked child that begins anew: its libc has the stacks, and nobody tells when it uses one.
pub(crate) fn forget_all() {
    lock(&LATE).clear();
    COUNT.store(0, Ordering::Relaxed);
}

fn trim((at, len): (usize, usize)) {
    // SAFETY: a part of a stack that no thread uses; its thread asked for this.
    let _ = unsafe { sys!(SYS_madvise, at, len, libc::MADV_DONTNEED) };
}
