//! The runtime's heap: dlmalloc, apart from the program's malloc, which a task may have locked; and a reserve.
//!
//! When the kernel gives no more memory (`RLIMIT_AS`, a full machine), what is in progress goes on from the reserve, and what would begin
//! anew does without, or fails as the kernel's own calls would, while [`is_scarce`]: no task is made (`EAGAIN`), no signal queued (`EAGAIN`, or its number alone is
//! kept); what a preempted task has in its registers, and what a parked call knows, is kept on the task's own stack. What else calls need comes from the
//! reserve, and is freed when they end. When half of that is in use ([`is_low`]) no more calls are parked (`ENOMEM`), so that it lasts.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The global allocator of the library.
#[derive(Debug)]
pub struct Heap;

/// Small: most of what thousands of calls need at once is no more than a timer or a place in a queue.
const BLOCK: usize = 128;
const BLOCKS: usize = 16_384;

/// Blocks, taken in runs.
#[repr(align(4096))]
struct Reserve {
    bytes: UnsafeCell<[[u8; BLOCK]; BLOCKS]>,
    /// For the first block of a run that is taken: its length; for the others of it: [`INSIDE`]; else 0.
    runs: UnsafeCell<[u16; BLOCKS]>,
    busy: AtomicBool,
    /// Runs that are taken, and their blocks.
    used: AtomicUsize,
    blocks: AtomicUsize,
}

const INSIDE: u16 = u16::MAX;

// SAFETY: `runs` is used under `busy`, the blocks of a run by whoever took it.
unsafe impl Sync for Reserve {}

static RESERVE: Reserve = Reserve {
    bytes: UnsafeCell::new([[0; BLOCK]; BLOCKS]),
    runs: UnsafeCell::new([0; BLOCKS]),
    busy: AtomicBool::new(false),
    used: AtomicUsize::new(0),
    blocks: AtomicUsize::new(0),
};

/// Whether the reserve is in use, and there still is no other memory: nothing new is to begin.
#[inline]
pub(crate) fn is_scarce() -> bool {
    RESERVE.used.load(Ordering::Relaxed) != 0 && !is_to_be_had()
}

/// Whether half of the reserve is in use: what need not be done is not to take more of it.
pub(crate) fn is_low() -> bool {
    RESERVE.blocks.load(Ordering::Relaxed) > BLOCKS / 2
}

#[cold]
fn is_to_be_had() -> bool {
    let page = Layout::new::<[u8; 4096]>();
    // SAFETY: the layout is not empty; what was allocated is given back.
    unsafe {
        let piece = KERNEL.alloc(page);
        if !piece.is_null() {
            KERNEL.dealloc(piece, page);
        }
        !piece.is_null()
    }
}

impl Reserve {
    fn with_runs<T>(&self, f: impl FnOnce(&mut [u16; BLOCKS]) -> T) -> T {
        while self.busy.swap(true, Ordering::Acquire) {
            std::hint::spin_loop();
        }
        // SAFETY: `busy` is ours.
        let result = f(unsafe { &mut *self.runs.get() });
        self.busy.store(false, Ordering::Release);
        result
    }

    /// Null when there is not enough left in one piece.
    #[cold]
    fn take(&self, layout: Layout) -> *mut u8 {
        let blocks = layout.size().div_ceil(BLOCK).max(1);
        // A run begins at a multiple of the alignment.
        let step = layout.align().div_ceil(BLOCK);
        let Some(length) = u16::try_from(blocks)
            .ok()
            .filter(|_| layout.align() <= 4096)
        else {
            return ptr::null_mut();
        };
        let first = self.with_runs(|runs| {
            let fits = |at: &usize| {
                runs.get(*at..*at + blocks)
                    .is_some_and(|r| r.iter().all(|r| *r == 0))
            };
            let first = (0..BLOCKS).step_by(step).find(fits)?;
            runs[first..first + blocks].fill(INSIDE);
            runs[first] = length;
            Some(first)
        });
        let Some(first) = first else {
            return ptr::null_mut();
        };
        self.used.fetch_add(1, Ordering::Relaxed);
        self.blocks.fetch_add(blocks, Ordering::Relaxed);
        self.bytes.get().cast::<u8>().wrapping_add(first * BLOCK)
    }

    /// The number of the block that begins at an address, if that is the reserve's.
    #[inline]
    fn block(&self, at: *mut u8) -> Option<usize> {
        let offset = (at as usize).wrapping_sub(self.bytes.get() as usize);
        (offset < BLOCK * BLOCKS).then_some(offset / BLOCK)
    }

    #[cold]
    fn give(&self, first: usize) {
        let length = self.with_runs(|runs| {
            let length = usize::from(runs[first]);
            runs[first..first + length].fill(0);
            length
        });
        self.blocks.fetch_sub(length, Ordering::Relaxed);
        self.used.fetch_sub(1, Ordering::Relaxed);
    }
}

const KERNEL: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

// SAFETY: every piece is dlmalloc's or a run of the reserve's, told apart by its address, and goes back where it came from.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let piece = unsafe { KERNEL.alloc(layout) };
        if piece.is_null() {
            return RESERVE.take(layout);
        }
        piece
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        match RESERVE.block(piece) {
            Some(first) => RESERVE.give(first),
            // SAFETY: the caller's promise.
            None => unsafe { KERNEL.dealloc(piece, layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let mut piece = unsafe { KERNEL.alloc_zeroed(layout) };
        if piece.is_null() {
            piece = RESERVE.take(layout);
            if !piece.is_null() {
                // SAFETY: a run of at least this size.
                unsafe { piece.write_bytes(0, layout.size()) };
            }
        }
        piece
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if RESERVE.block(piece).is_none() {
            // SAFETY: the caller's promise.
            let larger = unsafe { KERNEL.realloc(piece, layout, size) };
            if !larger.is_null() {
                return larger;
            }
        }
        // SAFETY: the caller's promise: `size` is valid with this alignment, and the old piece has `layout`.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                ptr::copy_nonoverlapping(piece, new, layout.size().min(size));
                self.dealloc(piece, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_gives_runs_and_takes_them_back() {
        let large = Layout::from_size_align(3 * BLOCK + 1, 64).unwrap();
        let small = Layout::from_size_align(1, 1).unwrap();
        let (a, b) = (RESERVE.take(large), RESERVE.take(small));
        assert!(!a.is_null() && !b.is_null());
        assert_eq!(RESERVE.used.load(Ordering::Relaxed), 2);
        assert!(!is_scarce() && !is_low());
        assert_eq!(RESERVE.block(b), RESERVE.block(a).map(|first| first + 4));
        assert!(RESERVE
            .take(Layout::from_size_align(BLOCK * BLOCKS, 1).unwrap())
            .is_null());
        // SAFETY: taken above, with these layouts.
        unsafe {
            Heap.dealloc(a, large);
            Heap.dealloc(b, small);
        }
        assert_eq!(RESERVE.used.load(Ordering::Relaxed), 0);
        let whole = RESERVE.take(Layout::from_size_align(BLOCK * BLOCKS, 4096).unwrap());
        assert_eq!(whole as usize % 4096, 0);
        assert!(is_low());
        RESERVE.give(0);
    }
}
