//! A task's own signals and signalfd: for the time of one call the kernel has them, too.
//!
//! A signal for a task is in the task's pending set, which the kernel does not know. Natively the thread that has it pending reads it from
//! a signalfd, and its poll, select and epoll_wait say so. So before such a call is tried, on the hub's thread and without a wait,
//! what the task has pending is sent to that very thread; the kernel answers as it would, and afterwards what it did not give away is taken
//! back. Nothing else runs on the thread meanwhile, and the kernel gives a thread's own signals before the process's, so what is taken back is
//! what was sent. It costs one look, at a task that has nothing pending.
//!
//! A task that waits is woken by each signal that it blocks, and looks once more (`Task::news`).

use super::shared::{self, take_from_kernel};
use super::{bit, Info, UNBLOCKED};
use crate::sys;
use crate::task::{lock, Task};
use crate::user;
use std::sync::atomic::Ordering;

/// What `read` on a signalfd gives for each signal.
const RECORD: usize = 128;

/// A task's pending signals, lent to the kernel while this lives.
#[derive(Debug)]
pub(crate) struct Lent {
    task: &'static Task,
    signals: Vec<Info>,
}

impl Lent {
    /// Lends all that the task has pending, for a look at what is ready.
    pub(crate) fn all(task: &'static Task) -> Self {
        // Before the look: what comes later wakes the task.
        task.news.store(false, Ordering::SeqCst);
        Self::these(task, !UNBLOCKED)
    }

    /// Lends what a new program inherits: what the task blocks. The rest is the task's to handle, and the kernel, which has the task's mask
    /// meanwhile, would have it handled at once, and once more than it was sent.
    pub(crate) fn for_exec(task: &'static Task) -> Self {
        Self::these(task, task.mask.load(Ordering::Relaxed) & !UNBLOCKED)
    }

    fn these(task: &'static Task, set: u64) -> Self {
        let mut signals = Vec::new();
        {
            let own = lock(&task.signals);
            if own.pending & set != 0 {
                signals.extend(own.iter().filter(|i| bit(i.signal) & set != 0).copied());
            }
        }
        signals.retain(send_here);
        Self { task, signals }
    }

    /// Lends them for a read, if that is from a signalfd.
    pub(crate) fn for_read(task: &'static Task, fd: i32) -> Self {
        task.news.store(false, Ordering::SeqCst);
        if lock(&task.signals).pending & !UNBLOCKED == 0 || !is_signalfd(fd) {
            return Self {
                task,
                signals: Vec::new(),
            };
        }
        Self::all(task)
    }

    /// Whether there are any.
    pub(crate) fn any(&self) -> bool {
        !self.signals.is_empty()
    }

    /// A read gave so many bytes, into these buffers: what was the task's is not pending any more. The first records are those of its
    /// own signals.
    pub(crate) fn were_read(&mut self, buffers: &[libc::iovec], bytes: usize) {
        for at in (0..bytes / RECORD).map(|i| i * RECORD) {
            let Some(number) = word_at(buffers, at) else {
                return;
            };
            let same = |i: &Info| u32::try_from(i.signal) == Ok(number);
            let Some(index) = self.signals.iter().position(same) else {
                return;
            };
            let info = self.signals.remove(index);
            lock(&self.task.signals).take(bit(info.signal));
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        for info in &self.signals {
            take_from_kernel(bit(info.signal));
        }
    }
}

/// Sends a signal to the calling thread, which blocks it.
pub(super) fn send_here(info: &Info) -> bool {
    let (pid, tid) = (sys::process_id(), sys::thread_id());
    // SAFETY: the kernel copies the struct.
    unsafe { sys!(SYS_rt_tgsigqueueinfo, pid, tid, info.signal, info) }.is_ok()
}

/// Looks at what descriptors the program has already. At conversion.
pub(crate) fn look_at_descriptors() {
    let Ok(list) = std::fs::read_dir("/proc/self/fd") else {
        shared::will_be_read();
        shared::calls_raise();
        return;
    };
    for fd in list.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()) {
        if is_signalfd(fd) {
            shared::will_be_read();
        }
        // SAFETY: asks for a number.
        if unsafe { sys!(SYS_fcntl, fd, libc::F_GETOWN) }.is_ok_and(|owner| owner != 0) {
            shared::calls_raise();
        }
    }
}

fn is_signalfd(fd: i32) -> bool {
    const NAME: &[u8] = b"anon_inode:[signalfd]";
    let path = format!("/proc/self/fd/{fd}\0");
    let mut name = [0u8; NAME.len() + 1];
    // SAFETY: a C string and a buffer.
    let got = unsafe { sys!(SYS_readlink, path.as_ptr(), name.as_mut_ptr(), name.len()) };
    got == Ok(NAME.len()) && name.starts_with(NAME)
}

/// The four bytes that begin at an offset in the program's buffers.
fn word_at(buffers: &[libc::iovec], mut at: usize) -> Option<u32> {
    let mut bytes = [0u8; 4];
    let mut filled = 0;
    for buffer in buffers {
        while at < buffer.iov_len && filled < 4 {
            let from = (buffer.iov_base as usize).wrapping_add(at);
            // SAFETY: any byte is a number.
            bytes[filled] = unsafe { user::read(from as *const u8) }.ok()?;
            (filled, at) = (filled + 1, at + 1);
        }
        at = at.saturating_sub(buffer.iov_len);
        if filled == 4 {
            return Some(u32::from_ne_bytes(bytes));
        }
    }
    None
}
