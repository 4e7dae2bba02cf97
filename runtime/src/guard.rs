//! Children that share the table of descriptors, but not the memory: clone(2) with `CLONE_FILES` and without `CLONE_VM`.
//!
//! Such a child is native, and what it closes it closes for its parent, too: it must not strike the runtime's own descriptors there. So
//! the stubs of the calls that close or replace a number lead to the *guard*, in children without a task too, and in a child that shares
//! the table the guard looks at a record of the parent's own numbers, in memory that both share ([`Shared`]). Such a child is never
//! converted: its own hubs' descriptors would be the parent's, and stay when it ends.
//!
//! Whether the guard is on says a word of a page that a child finds zeroed (`MADV_WIPEONFORK`): a child of the child's has a table of its own, in
//! which the parent's new numbers are its own files. Only when the child makes a child that shares the table again does the page go along. (Under the trap door
//! it always does: nobody hears of what the child makes.)
//!
//! What a child does here it does as the program would, natively: on the program's stack, with a handler of the program's at any point. So the
//! counters of [`Shared`] may be left behind by one that was killed: who waits for them does so for a while, and then puts them back.

use crate::fds::TRACKED;
use crate::own;
use crate::spin;
use crate::sys;
use crate::sys::{Errno, SysResult};
use std::ptr;
use std::sync::atomic::{fence, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// What processes with one table of descriptors know together. Zero: nothing.
#[derive(Debug)]
pub struct Shared {
    /// How many descriptors the runtime is making: they have a number of the program's for a moment.
    making: AtomicU32,
    /// How many calls of the children close or replace a number.
    changes: AtomicU32,
    /// No number of the runtime's was above this.
    highest: AtomicI32,
    /// A bit for each number that is the runtime's own.
    own: [AtomicU64; TRACKED / 64],
}

/// Null while the process has had no child that shares its table.
static SHARED: AtomicPtr<Shared> = AtomicPtr::new(ptr::null_mut());

/// The page that says whether the guard is on: its first word is null, or where [`Shared`] is. Null while there is none.
pub static PAGE: AtomicPtr<AtomicPtr<Shared>> = AtomicPtr::new(ptr::null_mut());

const PAGE_SIZE: usize = 4096;

/// How long one waits for another's change of a number, in ns. Only a close that waits for a file system takes longer, and who was killed.
const LONG: u64 = 10_000_000;

/// What [`coop_guard`] gives for a call that is to be made as it is.
pub const PASS: isize = isize::MIN;

/// The calls that it answers.
pub const ANSWERED: [i64; 4] = [
    libc::SYS_close,
    libc::SYS_dup2,
    libc::SYS_dup3,
    libc::SYS_close_range,
];

/// The calls that it hears of.
pub const HEARD_OF: [i64; 3] = [libc::SYS_clone, libc::SYS_clone3, libc::SYS_fork];

fn map(size: usize, sharing: i32) -> Result<usize, Errno> {
    let flags = libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | sharing;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping.
    unsafe { sys!(SYS_mmap, 0, size, access, flags, -1i32, 0) }
}

fn inherit(page: usize, advice: i32) -> SysResult {
    // SAFETY: what a child finds in that page is for this module to say.
    unsafe { sys!(SYS_madvise, page, PAGE_SIZE, advice) }
}

/// Before the first child that shares the table; the world stands still. What was made stays, for the next.
///
/// # Errors
/// `ENOMEM`.
pub(crate) fn prepare() -> Result<(), Errno> {
    if PAGE.load(Ordering::Relaxed).is_null() {
        let page = map(PAGE_SIZE, libc::MAP_PRIVATE)?;
        inherit(page, libc::MADV_WIPEONFORK)?;
        PAGE.store(page as *mut _, Ordering::Relaxed);
    }
    if shared().is_none() {
        let new = map(size_of::<Shared>(), libc::MAP_SHARED)?;
        SHARED.store(new as *mut Shared, Ordering::Relaxed);
        own::all().for_each(|fd| note(fd, true));
    }
    Ok(())
}

/// In a child that shares its parent's table: from here on the guard is on.
pub(crate) fn turn_on() {
    let page = PAGE.load(Ordering::Relaxed);
    // SAFETY: made by `prepare`, before the fork.
    unsafe { &*page }.store(SHARED.load(Ordering::Relaxed), Ordering::Relaxed);
    let _ = inherit(page as usize, libc::MADV_KEEPONFORK);
}

/// Whether this process is a child that shares its parent's table.
pub fn is_on() -> bool {
    let page = PAGE.load(Ordering::Relaxed);
    // SAFETY: as above.
    !page.is_null() && !unsafe { &*page }.load(Ordering::Relaxed).is_null()
}

/// In a child with a table of its own, that is to be converted: what it shares with its parent's children is nothing to it.
pub(crate) fn forget() {
    if let Some(shared) = shared() {
        SHARED.store(ptr::null_mut(), Ordering::Relaxed);
        // SAFETY: nobody in this process uses it.
        let _ = unsafe { sys!(SYS_munmap, ptr::from_ref(shared), size_of::<Shared>()) };
    }
}

fn shared() -> Option<&'static Shared> {
    // SAFETY: null, or mapped until `forget`, whose process has one thread.
    unsafe { SHARED.load(Ordering::Relaxed).as_ref() }
}

/// A number is the runtime's own from now on, or not any more.
pub(crate) fn note(fd: i32, is_own: bool) {
    let Some(shared) = shared() else { return };
    let Some((word, bit)) = shared.place(fd) else {
        return;
    };
    if is_own {
        shared.highest.fetch_max(fd, Ordering::SeqCst);
        word.fetch_or(bit, Ordering::SeqCst);
    } else {
        word.fetch_and(!bit, Ordering::SeqCst);
    }
}

/// While it lives no child closes or replaces a number.
#[derive(Debug)]
pub(crate) struct Making(Option<&'static Shared>);

impl Making {
    /// Waits until no child does.
    pub(crate) fn begin() -> Self {
        let shared = shared();
        if let Some(shared) = shared {
            shared.making.fetch_add(1, Ordering::SeqCst);
            // Either a child that begins a change now sees this, or it is seen here: both store first and then load.
            fence(Ordering::SeqCst);
            wait_for_none(&shared.changes);
        }
        Self(shared)
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            decrease(&shared.making);
        }
    }
}

/// Waits until a counter is 0, and after a while makes it that: see above.
fn wait_for_none(counter: &AtomicU32) {
    if counter.load(Ordering::SeqCst) == 0 {
        return;
    }
    let limit = sys::now(libc::CLOCK_MONOTONIC) + LONG;
    spin::until(|| counter.load(Ordering::SeqCst) == 0 || sys::now(libc::CLOCK_MONOTONIC) > limit);
    counter.store(0, Ordering::SeqCst);
}

fn decrease(counter: &AtomicU32) {
    let less = |n: u32| n.checked_sub(1);
    let _ = counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
}

impl Shared {
    /// The word and the bit of a number that is tracked.
    fn place(&self, fd: i32) -> Option<(&AtomicU64, u64)> {
        let index = usize::try_from(fd).ok()?;
        Some((self.own.get(index / 64)?, 1 << (index % 64)))
    }

    fn is_own(&self, fd: i32) -> bool {
        self.place(fd)
            .is_some_and(|(word, bit)| word.load(Ordering::SeqCst) & bit != 0)
    }

    /// Closes or replaces a number, while the runtime makes none.
    fn change(&self, change: impl FnOnce() -> SysResult) -> SysResult {
        self.changes.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        while self.making.load(Ordering::SeqCst) != 0 {
            decrease(&self.changes);
            wait_for_none(&self.making);
            self.changes.fetch_add(1, Ordering::SeqCst);
            fence(Ordering::SeqCst);
        }
        let result = change();
        decrease(&self.changes);
        result
    }

    /// close(2) and its kin, of numbers that must not be the runtime's. Of the others the kernel says what is wrong with them.
    fn change_all_but_own(&self, numbers: &[i32], call: usize, args: [usize; 6]) -> SysResult {
        self.change(|| {
            if numbers.iter().any(|fd| self.is_own(*fd)) {
                return Err(Errno::BADF);
            }
            // SAFETY: the program's call.
            sys::check(unsafe { sys::syscall_raw(call, args) })
        })
    }

    /// close_range(2) without flags, around the runtime's own.
    fn close_range(&self, first: u32, last: u32) -> SysResult {
        self.change(|| {
            let highest = u32::try_from(self.highest.load(Ordering::SeqCst)).unwrap_or(0);
            let mut from = first;
            for fd in first..=last.min(highest) {
                if self.is_own(fd as i32) {
                    if fd > from {
                        // SAFETY: the program's call, short of a number that is not its.
                        unsafe { sys!(SYS_close_range, from, fd - 1, 0) }?;
                    }
                    from = fd + 1;
                }
            }
            if from > last {
                return Ok(0);
            }
            // SAFETY: as above.
            unsafe { sys!(SYS_close_range, from, last, 0) }
        })
    }
}

/// The flags of clone3(2), if they can be read.
fn clone3_flags(args: usize) -> Option<u64> {
    // No such way to change the mask: the kernel reads the eight bytes, and then says so.
    const HOW: i32 = 99;
    // SAFETY: it changes nothing.
    let can_read = unsafe { sys!(SYS_rt_sigprocmask, HOW, args, 0, 8) } == Err(Errno::INVAL);
    // SAFETY: the kernel has just read it.
    can_read.then(|| unsafe { (args as *const u64).read_unaligned() })
}

/// Answers a call of a native process for which the guard is on: the result as the kernel gives it, or [`PASS`].
///
/// # Safety
/// Called by the guard's door, with what [`PAGE`] has and six arguments.
pub unsafe extern "C" fn coop_guard(
    number: usize,
    args: *const [usize; 6],
    shared: *const Shared,
) -> isize {
    // SAFETY: the caller's promise.
    let (args, shared) = unsafe { (*args, &*shared) };
    #[allow(clippy::cast_possible_truncation)]
    let [first, second, third] = [args[0] as u32, args[1] as u32, args[2] as u32];
    let result = match number as i64 {
        libc::SYS_close => shared.change_all_but_own(&[first as i32], number, args),
        libc::SYS_dup2 | libc::SYS_dup3 => {
            shared.change_all_but_own(&[first as i32, second as i32], number, args)
        }
        libc::SYS_close_range if third == 0 && first <= second => shared.close_range(first, second),
        libc::SYS_clone => return makes_child(args[0] as u64),
        libc::SYS_clone3 => return clone3_flags(args[0]).map_or(PASS, makes_child),
        libc::SYS_fork => return makes_child(0),
        _ => return PASS,
    };
    result.map_or_else(|e| -(e.0 as isize), |value| value as isize)
}

/// Whether the child that this process is about to make has the guard on, too.
fn makes_child(flags: u64) -> isize {
    if flags & libc::CLONE_VM as u64 == 0 {
        let shares = flags & libc::CLONE_FILES as u64 != 0;
        let advice = if shares {
            libc::MADV_KEEPONFORK
        } else {
            libc::MADV_WIPEONFORK
        };
        let _ = inherit(PAGE.load(Ordering::Relaxed) as usize, advice);
    }
    PASS
}
