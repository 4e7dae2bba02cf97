//! mlockall(2): whether what the program maps from now on is locked. The kernel sees to that for mappings, and stacks from slabs
//! ([`crate::stacks`]) are none: each is locked when libc makes it accessible, as its mapping would be.

use super::Call;
use crate::pool;
use crate::sys;
use crate::sys::{Errno, SysResult};
use std::sync::atomic::{AtomicU32, Ordering};

/// `mlock2`: pages are locked as they come.
const MLOCK_ONFAULT: u32 = 1;
/// [`FUTURE`]: the program has not asked for it.
const NOT_LOCKED: u32 = u32::MAX;
/// How mlock2(2) locks as the program wants its future memory to be.
static FUTURE: AtomicU32 = AtomicU32::new(NOT_LOCKED);

/// At conversion: what the program has asked for so far. A page is mapped, and looked at.
pub(super) fn prepare() {
    const PAGE: usize = 4096;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let mut is_there = 0u8;
    // SAFETY: a fresh mapping, which goes again. What is locked cannot be dropped.
    let future = unsafe {
        let Ok(page) = sys!(SYS_mmap, 0, PAGE, protection, flags, -1i32, 0) else {
            return;
        };
        let _ = sys!(SYS_mincore, page, PAGE, &mut is_there);
        let dropped = sys!(SYS_madvise, page, PAGE, libc::MADV_DONTNEED);
        let _ = sys!(SYS_munmap, page, PAGE);
        match dropped {
            Err(Errno::INVAL) if is_there & 1 == 0 => MLOCK_ONFAULT,
            Err(Errno::INVAL) => 0,
            _ => NOT_LOCKED,
        }
    };
    FUTURE.store(future, Ordering::Relaxed);
}

/// mlockall(2): fills all that is mapped, which takes its time.
pub(super) async fn mlockall(call: Call, flags: i32) -> SysResult {
    let result = pool::run(call.task, call.number, call.args).await?;
    let future = match flags & (libc::MCL_FUTURE | libc::MCL_ONFAULT) {
        libc::MCL_FUTURE => 0,
        both if both & libc::MCL_FUTURE != 0 => MLOCK_ONFAULT,
        _ => NOT_LOCKED,
    };
    FUTURE.store(future, Ordering::Relaxed);
    Ok(result)
}

/// munlockall(2).
pub(super) fn munlockall(call: Call) -> SysResult {
    let result = call.raw()?;
    FUTURE.store(NOT_LOCKED, Ordering::Relaxed);
    Ok(result)
}

/// A stack becomes accessible: locks it if that is what the program wants.
///
/// # Errors
/// `EAGAIN`, as mmap(2) has it, above the limit (`RLIMIT_MEMLOCK`).
pub(crate) fn stack(at: usize, len: usize) -> SysResult {
    match FUTURE.load(Ordering::Relaxed) {
        NOT_LOCKED => Ok(0),
        // SAFETY: the program's own memory.
        how => unsafe { sys!(SYS_mlock2, at, len, how) }.map_err(|_| Errno::AGAIN),
    }
}
