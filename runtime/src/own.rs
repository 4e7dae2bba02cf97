//! The runtime's own descriptors, out of the program's way.
//!
//! Where they are: above the program's soft limit (`RLIMIT_NOFILE`), if that is at most [`PREFERRED`], by raising the limit for the
//! moment of the conversion ([`Room`]). The program can then open as many as natively, and no loop over all numbers meets one. Else
//! right below [`PREFERRED`], and in a table that is no larger than it: the kernel copies the table up to the highest number at every
//! fork, and its select(2) reads and writes as many bits of the program's sets as the table has numbers.
//!
//! The program cannot close or replace them: to it they are not open. All are closed on exec, and by a forked child. (A child that shares the table
//! has a [`guard`].)

use crate::fds;
use crate::guard::{self, Making};
use crate::hub::{self, world, Worker};
use crate::spin;
use crate::sys;
use crate::sys::{Errno, SysResult};
use std::ffi::CStr;
use std::sync::atomic::{compiler_fence, AtomicI32, AtomicU32, Ordering};

/// As many numbers as an `fd_set` has.
const PREFERRED: u64 = libc::FD_SETSIZE as u64;

/// The lowest number that one of them has or may get.
static LOWEST: AtomicI32 = AtomicI32::new(i32::MAX);
/// The highest number that one of them has had.
static HIGHEST: AtomicI32 = AtomicI32::new(-1);
/// Where numbers for them are looked for.
static FROM: AtomicI32 = AtomicI32::new(0);

fn limit(new: Option<&libc::rlimit>) -> Result<libc::rlimit, Errno> {
    let mut old = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    let new = new.map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: `new` is null or a limit, `old` is valid for writing.
    unsafe { sys!(SYS_prlimit64, 0, libc::RLIMIT_NOFILE, new, &mut old) }?;
    Ok(old)
}

/// While it lives, there is room for the runtime's own descriptors above those of the program. Only while the process has one thread:
/// the limit is everybody's.
#[derive(Debug)]
pub struct Room(Option<libc::rlimit>);

impl Room {
    /// Makes room for so many.
    pub fn make(count: u32) -> Self {
        let Ok(old) = limit(None) else {
            return Self(None);
        };
        let count = u64::from(count);
        if old.rlim_cur > PREFERRED {
            FROM.store(number(PREFERRED.saturating_sub(count)), Ordering::Relaxed);
            return Self(None);
        }
        let wanted = old.rlim_cur + count;
        let raised = libc::rlimit {
            rlim_cur: wanted,
            rlim_max: old.rlim_max.max(wanted),
        };
        if limit(Some(&raised)).is_ok() {
            FROM.store(number(old.rlim_cur), Ordering::Relaxed);
            return Self(Some(old));
        }
        // The hard limit is the soft one, and not to be raised: at the top of what there is.
        let from = old.rlim_cur.saturating_sub(count).max(old.rlim_cur / 2);
        FROM.store(number(from), Ordering::Relaxed);
        Self(None)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(old) = self.0 {
            let _ = limit(Some(&old));
        }
    }
}

fn number(n: u64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// Moves a descriptor of the runtime's out of the program's way, closed on exec. Gives the new number.
///
/// # Errors
/// `EMFILE` above all: it is closed, then. The program's last free number is not the runtime's to take.
fn hide(fd: usize) -> Result<i32, Errno> {
    let old = number(fd as u64);
    let own = duplicate(old);
    // SAFETY: ours, and not used any more.
    let _ = unsafe { sys!(SYS_close, old) };
    own.inspect(|fd| adopt(*fd))
}

/// A private duplicate of a descriptor.
///
/// # Errors
/// `EMFILE` above all.
pub(crate) fn keep(fd: i32) -> Result<i32, Errno> {
    let own = duplicate(fd)?;
    adopt(own);
    Ok(own)
}

fn duplicate(fd: i32) -> Result<i32, Errno> {
    let from = FROM.load(Ordering::Relaxed);
    // SAFETY: duplicates; the number is the runtime's.
    let at = |from: i32| unsafe { sys!(SYS_fcntl, fd, libc::F_DUPFD_CLOEXEC, from) };
    let copy: SysResult = match at(from) {
        // The program's limit is below, or all above is in use.
        Err(Errno(libc::EINVAL | libc::EMFILE)) => at(from / 4 * 3),
        result => result,
    };
    copy.map(|fd| number(fd as u64))
}

fn adopt(fd: i32) {
    if let Some(entry) = fds::entry(fd) {
        entry.set_own();
        guard::note(fd, true);
    }
    HIGHEST.fetch_max(fd, Ordering::AcqRel);
    LOWEST.fetch_min(fd, Ordering::AcqRel);
}

/// Whether a number is the runtime's own: to the program it is not open.
#[inline]
pub(crate) fn is_own(fd: i32) -> bool {
    fd >= LOWEST.load(Ordering::Relaxed) && fds::entry(fd).is_some_and(fds::Entry::is_own)
}

/// The runtime's own numbers, in order.
pub(crate) fn all() -> impl Iterator<Item = i32> {
    let (lowest, highest) = (
        LOWEST.load(Ordering::Acquire),
        HIGHEST.load(Ordering::Acquire),
    );
    (lowest..=highest).filter(|fd| is_own(*fd))
}

/// Makes a descriptor for the runtime, out of the program's way, closed on exec.
///
/// The kernel gives it the lowest number that is free, and from there it is moved at once ([`hide`]). A close or dup2 of the program's that meant that number while
/// it was free must not strike it meanwhile: those that are under way end first, and no other begins ([`Changing`]).
///
/// # Errors
/// The kernel's, and those of [`hide`].
pub(crate) fn make(make: impl FnOnce() -> SysResult) -> Result<i32, Errno> {
    /// No change of a number takes longer, in ns, but for a close that waits for a file system: what is not the program's is not worth so long a wait.
    const LONG: u64 = 10_000_000;
    let unshared = Making::begin();
    MAKING.fetch_add(1, Ordering::SeqCst);
    if hub::workers().next().is_some() {
        world::barrier();
        let limit = sys::now(libc::CLOCK_MONOTONIC) + LONG;
        for worker in hub::workers() {
            spin::until(|| {
                worker.changes.load(Ordering::SeqCst) == 0
                    || sys::now(libc::CLOCK_MONOTONIC) > limit
            });
        }
    }
    let made = make().and_then(hide);
    MAKING.fetch_sub(1, Ordering::SeqCst);
    drop(unshared);
    made
}

/// How many descriptors are being made.
static MAKING: AtomicU32 = AtomicU32::new(0);

/// While it lives a worker closes or replaces a number, and no descriptor is made.
///
/// The worker's store and load could change places on the CPU; who makes a descriptor, which is rare, pays for that with `membarrier(2)`.
#[derive(Debug)]
pub(crate) struct Changing(&'static Worker);

impl Changing {
    /// Waits until no descriptor is being made.
    pub(crate) fn begin(worker: &'static Worker) -> Self {
        let others = worker.changes.load(Ordering::Relaxed);
        worker.changes.store(others + 1, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        // (One of several: who makes a descriptor waits for the first already.)
        while others == 0 && MAKING.load(Ordering::Relaxed) != 0 {
            worker.changes.store(0, Ordering::Release);
            spin::until(|| MAKING.load(Ordering::Relaxed) == 0);
            worker.changes.store(1, Ordering::Relaxed);
            compiler_fence(Ordering::SeqCst);
        }
        Self(worker)
    }
}

impl Drop for Changing {
    fn drop(&mut self) {
        let changes = self.0.changes.load(Ordering::Relaxed);
        self.0.changes.store(changes - 1, Ordering::Release);
    }
}

/// Opens a file of `/proc` to keep, out of the program's way; -1 if it is not to be had. What it says is made anew at each read from its
/// beginning.
pub(crate) fn open(path: &CStr) -> i32 {
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: opens a file by a C string.
    make(|| unsafe { sys!(SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0) }).unwrap_or(-1)
}

/// Closes a descriptor of the runtime's own.
pub(crate) fn close(fd: i32) {
    // First: whoever gets the number next may do so at once.
    fds::give_up_own(fd);
    // SAFETY: ours.
    let _ = unsafe { sys!(SYS_close, fd) };
}

/// All of them, as ranges: what a forked child is to close.
pub(crate) fn ranges() -> Vec<(i32, i32)> {
    let mut ranges: Vec<(i32, i32)> = Vec::new();
    for fd in all() {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == fd => *last = fd,
            _ => ranges.push((fd, fd)),
        }
    }
    ranges
}

/// Closes all numbers of these ranges.
pub(crate) fn close_ranges(ranges: &[(i32, i32)]) {
    for (first, last) in ranges {
        // SAFETY: ours.
        if unsafe { sys!(SYS_close_range, *first, *last, 0) }.is_err() {
            for fd in *first..=*last {
                // SAFETY: ours.
                let _ = unsafe { sys!(SYS_close, fd) };
            }
        }
    }
}

/// Closes all, when the process stays native.
pub(crate) fn close_all() {
    close_ranges(&ranges());
    forget_all();
}

/// Forgets all: they are closed.
pub(crate) fn forget_all() {
    guard::forget();
    fds::reset();
    LOWEST.store(i32::MAX, Ordering::Release);
    HIGHEST.store(-1, Ordering::Release);
}
