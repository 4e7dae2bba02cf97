//! Memory: thread stacks from slabs, executable mappings for the doors, and which memory other processes may share.

use super::Call;
use crate::hub;
use crate::stacks;
use crate::survivor;
use crate::sys::{Errno, SysResult};
use crate::task::lock;
use crate::trim;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

/// Shared mappings: start to end. Futexes there are the kernel's.
static SHARED: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());
static SHARED_COUNT: AtomicUsize = AtomicUsize::new(0);

/// Whether an address is in memory that another process may share.
pub(crate) fn is_shared(address: usize) -> bool {
    if SHARED_COUNT.load(Ordering::Acquire) == 0 {
        return false;
    }
    let map = lock(&SHARED);
    map.range(..=address)
        .next_back()
        .is_some_and(|(_, end)| address < *end)
}

/// Whether there is any such memory.
pub(crate) fn any_shared() -> bool {
    SHARED_COUNT.load(Ordering::Acquire) != 0
}

fn add_shared(start: usize, len: usize) {
    let mut map = lock(&SHARED);
    map.insert(start, start + len.next_multiple_of(4096));
    SHARED_COUNT.store(map.len(), Ordering::Release);
    drop(map);
    survivor::consider();
}

/// Forgets shared mappings within a range, in part or whole: it is mapped anew or unmapped.
fn remove_shared(start: usize, len: usize) {
    if SHARED_COUNT.load(Ordering::Acquire) == 0 {
        return;
    }
    let end = start + len.next_multiple_of(4096);
    let mut map = lock(&SHARED);
    let touched: Vec<(usize, usize)> = map
        .range(..end)
        .filter(|(_, e)| **e > start)
        .map(|(s, e)| (*s, *e))
        .collect();
    for (s, e) in touched {
        map.remove(&s);
        if s < start {
            map.insert(s, start);
        }
        if e > end {
            map.insert(end, e);
        }
    }
    SHARED_COUNT.store(map.len(), Ordering::Release);
}

/// In a forked child that begins anew: what it mapped and unmapped meanwhile nobody saw.
pub(crate) fn reset() {
    lock(&SHARED).clear();
    SHARED_COUNT.store(0, Ordering::Release);
}

/// Finds the shared mappings made before conversion.
pub fn read_maps() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else {
        return;
    };
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (Some(range), Some(flags)) = (fields.next(), fields.next()) else {
            continue;
        };
        if !flags.ends_with('s') {
            continue;
        }
        let bound = |s: Option<&str>| usize::from_str_radix(s?, 16).ok();
        let mut ends = range.split('-');
        if let (Some(start), Some(end)) = (bound(ends.next()), bound(ends.next())) {
            add_shared(start, end - start);
        }
    }
}

/// mmap(2).
pub(crate) fn mmap(
    call: Call,
    _hint: usize,
    len: usize,
    protection: i32,
    flags: i32,
    fd: i32,
) -> SysResult {
    if flags & libc::MAP_STACK != 0
        && flags & (libc::MAP_ANONYMOUS | libc::MAP_FIXED) == libc::MAP_ANONYMOUS
    {
        if let Some(stack) = stacks::allocate(len) {
            return Ok(stack);
        }
    }
    let at = call.raw()?;
    if flags & libc::MAP_FIXED != 0 {
        remove_shared(at, len);
    }
    if flags & libc::MAP_TYPE != libc::MAP_PRIVATE {
        add_shared(at, len);
    } else if protection & libc::PROT_EXEC != 0 && flags & libc::MAP_ANONYMOUS == 0 {
        (hub::crossing().mapped)(fd, at, len, call.args[5] as u64);
    }
    Ok(at)
}

/// munmap(2).
pub(crate) fn munmap(call: Call, at: usize, len: usize) -> SysResult {
    if let Some(result) = stacks::free(at, len) {
        return result;
    }
    remove_shared(at, len);
    let result = call.raw()?;
    (hub::crossing().unmapped)(at, len);
    Ok(result)
}

/// mprotect(2): of a stack it sets the guard.
pub(crate) fn mprotect(call: Call, at: usize, len: usize, protection: i32) -> SysResult {
    match stacks::protect(at, len, protection) {
        Some(result) => result,
        None => call.raw(),
    }
}

/// madvise(2): what a thread that ends asks for its stack is done later.
pub(crate) fn madvise(call: Call, at: usize, len: usize, advice: i32) -> SysResult {
    if advice == libc::MADV_DONTNEED && trim::note(call.task, at, len) {
        return Ok(0);
    }
    call.raw()
}

/// mremap(2).
pub(crate) fn mremap(call: Call, old: usize, old_len: usize, len: usize) -> SysResult {
    if stacks::contains(old) {
        // A stack stays where it is. (glibc never moves one.)
        return Err(Errno::NOMEM);
    }
    let was_shared = is_shared(old);
    let at = call.raw()?;
    if was_shared {
        remove_shared(old, old_len);
        add_shared(at, len);
    }
    Ok(at)
}

/// shmat(2): how long the segment is, only the kernel knows.
pub(crate) fn shmat(call: Call, id: i32) -> SysResult {
    let at = call.raw()?;
    // SAFETY: zero is a valid buffer.
    let mut info: libc::shmid_ds = unsafe { std::mem::zeroed() };
    // SAFETY: fills the buffer.
    let known = unsafe { crate::sys!(SYS_shmctl, id, libc::IPC_STAT, &mut info) };
    add_shared(at, if known.is_ok() { info.shm_segsz } else { 4096 });
    Ok(at)
}

/// shmdt(2).
pub(crate) fn shmdt(call: Call, at: usize) -> SysResult {
    let len = lock(&SHARED).get(&at).map_or(0, |end| end - at);
    let result = call.raw()?;
    remove_shared(at, len);
    Ok(result)
}
