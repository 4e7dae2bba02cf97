//! Signals that wait to be taken, with what they tell: of one task, or of the process.

use super::{bit, KICK, SYNCHRONOUS};
use crate::heap;
use crate::sys;
use std::collections::VecDeque;

/// Signals pending for a task or for the process, with their data. All zero: none.
#[derive(Debug, Default)]
pub(crate) struct TaskSignals {
    pub(super) pending: u64,
    /// In order of arrival; at most one of each standard signal. Boxed, as all zero must be `None` and a task be small.
    #[allow(clippy::box_collection)]
    queue: Option<Box<VecDeque<Info>>>,
    /// What the task waits for in `sigtimedwait`.
    pub(crate) waits_for: u64,
}

/// The kernel's `siginfo_t`, 128 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(crate) struct Info {
    pub signal: i32,
    pub errno: i32,
    pub code: i32,
    pub(super) rest: [u32; 29],
}

impl Info {
    /// As kill(2) and tgkill(2) make it: who sent it.
    pub(crate) fn from_user(signal: i32, code: i32) -> Self {
        let mut info = Self::of_kernel(signal, code);
        // SAFETY: takes no arguments.
        let uid = unsafe { sys!(SYS_getuid) }.unwrap_or(0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        {
            (info.rest[1], info.rest[2]) = (sys::process_id() as u32, uid as u32);
        }
        info
    }

    /// As a POSIX timer makes it.
    pub(crate) fn of_timer(signal: i32, timer: i32, overrun: u32, value: u64) -> Self {
        let mut info = Self::of_kernel(signal, libc::SI_TIMER);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        {
            info.rest[1] = timer as u32;
            info.rest[2] = overrun;
            (info.rest[3], info.rest[4]) = (value as u32, (value >> 32) as u32);
        }
        info
    }

    /// Of a timer's signal: the timer's id and its overrun.
    #[allow(clippy::cast_possible_wrap)]
    pub(crate) fn timer(&self) -> (i32, u32) {
        (self.rest[1] as i32, self.rest[2])
    }

    pub(crate) fn set_overrun(&mut self, overrun: u32) {
        self.rest[2] = overrun.min(i32::MAX as u32);
    }

    /// Of a descriptor's signal: the descriptor.
    #[allow(clippy::cast_possible_wrap)]
    pub(crate) fn descriptor(&self) -> i32 {
        self.rest[3] as i32
    }

    /// The same for another number.
    pub(crate) fn with_number(mut self, signal: i32) -> Self {
        self.signal = signal;
        self
    }

    /// Whether this is a [`KICK`] that the library sent to a thread of its own, and not somebody else's signal of that number.
    ///
    /// The kernel keeps a signal's story in a queue that all processes of a user share (`RLIMIT_SIGPENDING`). When that is full, a signal of
    /// tgkill(2) comes all the same, but as if from kill(2), and from nobody.
    pub(crate) fn is_kick(&self) -> bool {
        let from_nobody = self.code == libc::SI_USER && self.rest[1] == 0;
        self.signal == KICK && (self.code == libc::SI_TKILL || from_nobody)
    }

    /// As the kernel makes it, with nothing but a code.
    pub(crate) fn of_kernel(signal: i32, code: i32) -> Self {
        Self {
            signal,
            errno: 0,
            code,
            rest: [0; 29],
        }
    }
}

impl TaskSignals {
    pub(super) const fn new() -> Self {
        Self {
            pending: 0,
            queue: None,
            waits_for: 0,
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn push(&mut self, info: Info) {
        if info.code == libc::SI_TIMER {
            // One that is pending counts the others.
            let pending = self.queue.iter_mut().flat_map(|q| q.iter_mut());
            let same = |i: &&mut Info| i.code == info.code && i.timer().0 == info.timer().0;
            if let Some(before) = pending.into_iter().find(same) {
                let more = info.rest[2].saturating_add(1);
                before.rest[2] = before.rest[2].saturating_add(more).min(i32::MAX as u32);
                return;
            }
        }
        // Standard signals do not queue: one pending is enough. Real-time signals do.
        if info.signal < 32 && self.pending & bit(info.signal) != 0 {
            return;
        }
        self.pending |= bit(info.signal);
        // Without memory its number is kept, as in the kernel (`__send_signal_locked`, kernel/signal.c).
        if self.has_room() {
            self.queue.get_or_insert_with(Box::default).push_back(info);
        }
    }

    /// Whether there is memory for what one more signal tells.
    pub(super) fn has_room(&self) -> bool {
        let queue = self.queue.as_deref();
        queue.is_some_and(|q| q.len() < q.capacity()) || !heap::is_scarce()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.as_ref().map_or(0, |q| q.len())
    }

    /// All of them, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Info> {
        self.queue.iter().flat_map(|q| q.iter())
    }

    /// Makes a fault the next signal that is taken, whatever of its number was pending.
    pub(super) fn put_first(&mut self, info: Info) {
        let queue = self.queue.get_or_insert_with(Box::default);
        queue.retain(|i| i.signal != info.signal);
        queue.push_front(info);
        self.pending |= bit(info.signal);
    }

    /// Takes the first signal of `set`: synchronous ones first, then the lowest number, then the oldest.
    pub(super) fn take(&mut self, set: u64) -> Option<Info> {
        let wanted = self.pending & set;
        if wanted == 0 {
            return None;
        }
        let urgent = wanted & SYNCHRONOUS;
        let signal = if urgent != 0 { urgent } else { wanted }.trailing_zeros() as i32 + 1;
        let mut queue = self.queue.as_mut();
        let queued = queue.as_mut().and_then(|queue| {
            let at = queue.iter().position(|i| i.signal == signal)?;
            queue.remove(at)
        });
        if !queue.is_some_and(|q| q.iter().any(|i| i.signal == signal)) {
            self.pending &= !bit(signal);
        }
        Some(queued.unwrap_or_else(|| Info::of_kernel(signal, libc::SI_USER)))
    }
}
