//! Address space kept for later: the array of tasks, the table of descriptors, the slabs of stacks.
//!
//! It is used from its low end up, and what is not used yet has no access: so it is in no core dump, is not charged to the process
//! (`RLIMIT_DATA`, strict overcommitment), and mlockall(2) does not fill it. What is used is made accessible in steps that double.
//!
//! After mlockall(2) with `MCL_FUTURE` every new mapping is locked, filled and limited. A reservation is not one: it begins as one page, which is
//! unlocked and then grown by mremap(2), which goes by what the page is. (mmap(2) would be refused by `RLIMIT_MEMLOCK`.)

use crate::spin::Spin;
use crate::sys;
use crate::sys::Errno;
use std::sync::atomic::{AtomicUsize, Ordering};

const PAGE: usize = 4096;

/// A piece of address space.
#[derive(Debug)]
pub(crate) struct Reserve {
    /// 0: there is none.
    start: AtomicUsize,
    len: AtomicUsize,
    /// How many bytes from its low end can be used.
    open: AtomicUsize,
    opening: Spin<()>,
}

impl Reserve {
    /// None yet.
    pub(crate) const fn none() -> Self {
        Self {
            start: AtomicUsize::new(0),
            len: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            opening: Spin::new(()),
        }
    }

    /// Reserves so many bytes, unless that was done: zeroed when they are used. `advice` (madvise(2)) holds for all of it, as far as the kernel knows it.
    ///
    /// # Errors
    /// The kernel's: `ENOMEM` where address space is limited.
    pub(crate) fn make(&self, len: usize, advice: &[i32]) -> Result<(), Errno> {
        if self.start() != 0 {
            return Ok(());
        }
        let len = len.next_multiple_of(PAGE);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh mapping, which nobody else knows.
        let start = unsafe {
            let page = sys!(SYS_mmap, 0, PAGE, libc::PROT_NONE, flags, -1i32, 0)?;
            let _ = sys!(SYS_munlock, page, PAGE);
            match sys!(SYS_mremap, page, PAGE, len, libc::MREMAP_MAYMOVE) {
                Ok(start) => start,
                Err(e) => {
                    let _ = sys!(SYS_munmap, page, PAGE);
                    return Err(e);
                }
            }
        };
        for advice in advice {
            // SAFETY: about our own mapping.
            let _ = unsafe { sys!(SYS_madvise, start, len, *advice) };
        }
        self.len.store(len, Ordering::Relaxed);
        self.start.store(start, Ordering::Release);
        Ok(())
    }

    /// Where it begins; 0: there is none.
    #[inline]
    pub(crate) fn start(&self) -> usize {
        self.start.load(Ordering::Acquire)
    }

    /// The word that says so, for who reads a core.
    pub(crate) const fn start_word(&self) -> &AtomicUsize {
        &self.start
    }

    pub(crate) fn end(&self) -> usize {
        self.start() + self.len.load(Ordering::Relaxed)
    }

    /// Whether its first `bytes` can be used, or can be from now on. Asks for no thread-local, and takes no lock of libc's.
    #[inline]
    pub(crate) fn has(&self, bytes: usize) -> bool {
        bytes <= self.open.load(Ordering::Acquire) || self.open_up_to(bytes)
    }

    #[cold]
    fn open_up_to(&self, bytes: usize) -> bool {
        let _opening = self.opening.lock();
        let (start, len) = (self.start(), self.len.load(Ordering::Relaxed));
        let open = self.open.load(Ordering::Relaxed);
        if bytes <= open {
            return true;
        }
        if start == 0 || bytes > len {
            return false;
        }
        // Where not so much is to be had, what is asked for may be.
        let most = bytes.max(open * 2).next_multiple_of(PAGE).min(len);
        let least = bytes.next_multiple_of(PAGE);
        [most, least].into_iter().any(|end| {
            let (at, more) = (start + open, end - open);
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            // SAFETY: our own mapping, of which nobody uses this part yet. Unlocked first: the program may have called mlockall(2) meanwhile.
            let opened = unsafe {
                let _ = sys!(SYS_munlock, at, more);
                sys!(SYS_mprotect, at, more, protection)
            };
            if opened.is_ok() {
                self.open.store(end, Ordering::Release);
            }
            opened.is_ok()
        })
    }

    /// Drops all that was written: what was used is zero. Nobody uses it now.
    pub(crate) fn clear(&self) {
        let start = self.start();
        if start == 0 {
            return;
        }
        // SAFETY: our own mapping, and the caller says that nobody uses it.
        let _ = unsafe { drop_pages(start, self.open.load(Ordering::Relaxed)) };
    }
}

/// Drops the pages of a range of memory, also where they are locked.
///
/// # Safety
/// The range is private anonymous memory whose contents nobody wants any more.
pub(crate) unsafe fn drop_pages(at: usize, len: usize) -> sys::SysResult {
    // SAFETY: the caller's promise.
    unsafe {
        match sys!(SYS_madvise, at, len, libc::MADV_DONTNEED) {
            Err(Errno::INVAL) => {
                sys!(SYS_munlock, at, len)?;
                sys!(SYS_madvise, at, len, libc::MADV_DONTNEED)
            }
            result => result,
        }
    }
}
