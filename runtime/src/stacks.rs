//! Thread stacks, from slabs.
//!
//! A mapping and a guard page a stack would end at `vm.max_map_count` (65,530) with some 16,000 threads. So libc's own
//! `mmap(MAP_STACK)` is answered from slabs: large reservations of zeroed memory, cut into stacks of the size asked for. A
//! stack's guard is a marker in the page tables (`MADV_GUARD_INSTALL`, Linux 6.13) that splits no mapping; on older kernels it
//! is an `mprotect`, and the old limit holds.
//!
//! A program that has its memory locked (mlockall(2) with `MCL_FUTURE`) has its stacks locked, too, each as libc makes it accessible.
//!
//! A slab holds stacks of one size class, so a stack is found from any address in it by division. A stack that libc unmaps
//! loses its pages at once and waits, with its guard, for the next one of its class.

use crate::reserve::{drop_pages, Reserve};
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::syscalls::locked;
use crate::task::lock;
use crate::trim;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Mutex;

/// A class's first slab is this large, each next one twice as large as the one before, up to [`LARGEST_SLAB`].
const SLAB: usize = 1 << 30;
const LARGEST_SLAB: usize = 1 << 36;
/// A larger stack gets a mapping of its own, from the kernel.
const LARGEST_STACK: usize = 1 << 28;
/// And at least this, where address space is limited.
const SMALLEST_SLAB: usize = 1 << 24;
const PAGE: usize = 4096;
const MADV_GUARD_INSTALL: i32 = 102;
const MADV_GUARD_REMOVE: i32 = 103;

/// All slabs lie between these, so that most addresses are known not to be in one without a lock.
static LOW: AtomicUsize = AtomicUsize::new(usize::MAX);
static HIGH: AtomicUsize = AtomicUsize::new(0);
static NO_GUARD_MARKERS: AtomicBool = AtomicBool::new(false);

#[derive(Debug)]
struct Slab {
    memory: Reserve,
    class: usize,
    /// How many bytes were handed out at least once.
    used: usize,
    /// Free stacks.
    free: Vec<usize>,
    /// The guard of each stack that was handed out, in pages.
    guards: Vec<u32>,
}

static SLABS: Mutex<Vec<Slab>> = Mutex::new(Vec::new());

/// The size class: four to a power of two.
fn class(len: usize) -> usize {
    let step = (len.next_power_of_two() / 8).max(PAGE);
    len.next_multiple_of(step)
}

fn near(at: usize) -> bool {
    (LOW.load(Ordering::Acquire)..HIGH.load(Ordering::Acquire)).contains(&at)
}

/// Runs `f` on the slab that an address is in.
fn with_slab<T>(at: usize, f: impl FnOnce(&mut Slab) -> T) -> Option<T> {
    if !near(at) {
        return None;
    }
    lock(&SLABS)
        .iter_mut()
        .find(|s| (s.memory.start()..s.memory.end()).contains(&at))
        .map(f)
}

/// Whether an address is in a slab.
pub(crate) fn contains(at: usize) -> bool {
    with_slab(at, |_| ()).is_some()
}

/// Where the stack that an address is in begins and ends.
pub(crate) fn around(at: usize) -> Option<(usize, usize)> {
    with_slab(at, |slab| {
        let start = slab.stack(at);
        (start, start + slab.class)
    })
}

/// A stack of `len` bytes, zeroed, readable and writable. `None`: let the kernel map one.
pub(crate) fn allocate(len: usize) -> Option<usize> {
    let class = class(len.next_multiple_of(PAGE));
    if class == 0 || class > LARGEST_STACK {
        return None;
    }
    let mut slabs = lock(&SLABS);
    for slab in slabs.iter_mut().filter(|s| s.class == class) {
        if let Some(stack) = slab.take() {
            return Some(stack);
        }
    }
    let before = slabs.iter().filter(|s| s.class == class).count();
    let memory = reserve(class, (SLAB << before.min(16)).min(LARGEST_SLAB))?;
    let (start, end) = (memory.start(), memory.end());
    let mut slab = Slab {
        memory,
        class,
        used: 0,
        free: Vec::new(),
        guards: Vec::new(),
    };
    let stack = slab.take();
    slabs.push(slab);
    LOW.fetch_min(start, Ordering::AcqRel);
    HIGH.fetch_max(end, Ordering::AcqRel);
    stack
}

impl Slab {
    fn take(&mut self) -> Option<usize> {
        if let Some(stack) = self.free.pop() {
            return Some(stack);
        }
        if !self.memory.has(self.used + self.class) {
            return None;
        }
        let stack = self.memory.start() + self.used;
        self.used += self.class;
        self.guards.push(0);
        Some(stack)
    }

    fn index(&self, at: usize) -> usize {
        (at - self.memory.start()) / self.class
    }

    /// Where the stack begins that an address is in.
    fn stack(&self, at: usize) -> usize {
        self.memory.start() + self.index(at) * self.class
    }
}

/// Reserves a slab: as large as the limit on address space allows.
fn reserve(class: usize, mut len: usize) -> Option<Reserve> {
    let memory = Reserve::none();
    while len >= SMALLEST_SLAB.max(class) {
        // A huge page would make every stack cost 2 MiB.
        if memory.make(len, &[libc::MADV_NOHUGEPAGE]).is_ok() {
            return Some(memory);
        }
        len /= 4;
    }
    None
}

/// munmap(2) of memory in a slab; `None` if it is not.
pub(crate) fn free(at: usize, len: usize) -> Option<SysResult> {
    if !near(at) {
        return None;
    }
    trim::unmapped(at, len);
    with_slab(at, |slab| {
        // Guard markers survive this; the pages go.
        // SAFETY: the program unmaps this memory, so it does not use it.
        let result = unsafe { drop_pages(at, len) };
        if at == slab.stack(at) {
            slab.free.push(at);
        }
        result
    })
}

/// mprotect(2) of memory in a slab; `None` if it is not, or if the kernel is to do as the program says.
///
/// libc maps a stack without access and then allows it but for the guard at its low end, so what lies between the stack's start
/// and an allowed range is its guard. It also moves the guard of a stack that it uses again.
pub(crate) fn protect(at: usize, len: usize, protection: i32) -> Option<SysResult> {
    if !near(at) {
        return None;
    }
    let page = |n: usize| u32::try_from(n / PAGE).unwrap_or(u32::MAX);
    let result = with_slab(at, |slab| {
        let index = slab.index(at);
        let start = slab.stack(at);
        if protection == libc::PROT_NONE && at == start {
            slab.guards[index] = page(len);
            return Some(guard(at, len));
        }
        if protection != libc::PROT_READ | libc::PROT_WRITE {
            // A part of the stack that the program protects itself, or an executable stack.
            return None;
        }
        let (old, new) = (slab.guards[index] as usize * PAGE, at - start);
        slab.guards[index] = page(new);
        if new > old {
            if let Err(e) = guard(start, new) {
                return Some(Err(e));
            }
        }
        if new < old {
            unguard(at, old - new);
        }
        Some(Ok(0))
    })
    .flatten()?;
    // Not under the lock: it may fill the stack.
    Some(match result {
        Ok(_) if protection != libc::PROT_NONE => locked::stack(at, len),
        result => result,
    })
}

fn guard(at: usize, len: usize) -> SysResult {
    if !NO_GUARD_MARKERS.load(Ordering::Relaxed) {
        // SAFETY: the program wants no access there.
        let install = || unsafe { sys!(SYS_madvise, at, len, MADV_GUARD_INSTALL) };
        // Locked memory takes none.
        // SAFETY: unlocks what is not used any more.
        let unlocked = |_| unsafe { sys!(SYS_munlock, at, len) }.and_then(|_| install());
        match install().or_else(unlocked) {
            Err(Errno::INVAL) => NO_GUARD_MARKERS.store(true, Ordering::Relaxed),
            result => return result,
        }
    }
    // SAFETY: as above.
    unsafe { sys!(SYS_mprotect, at, len, libc::PROT_NONE) }
}

fn unguard(at: usize, len: usize) {
    // Of whichever kind it is.
    if NO_GUARD_MARKERS.load(Ordering::Relaxed) {
        // SAFETY: the program wants access there.
        let _ = unsafe { sys!(SYS_mprotect, at, len, libc::PROT_READ | libc::PROT_WRITE) };
    }
    // SAFETY: as above.
    let _ = unsafe { sys!(SYS_madvise, at, len, MADV_GUARD_REMOVE) };
}
