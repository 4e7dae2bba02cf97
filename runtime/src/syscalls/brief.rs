//! Calls that may wait for a disk and mostly do not: names and sizes of files, directories, fsync(2) of what is written.
//!
//! | | |
//! |---|---|
//! | calls of this number have long been quick | in line, where another thread can relieve the hub |
//! | else | by a pool thread, while the task waits |
//!
//! Quick is what takes little longer than the way to the pool and back, and slow what takes a tenth of the time that a task may compute: a large directory is
//! between. Of calls that are there to wait for the disk, as fsync(2), many can wait at once in the pool: those are quick that find nothing to wait for. Both ways
//! measure ([`timed`]). With `COOP_FILE=thread` and `block` all are the pool's.

use super::trust::Trust;
use super::{table, Call, Outcome};
use crate::config::{self, File};
use crate::sys;

/// In ns.
const QUICK: u64 = 50_000;
const QUICK_FLUSH: u64 = 20_000;
const SLOW: u64 = 1_000_000;

const FLUSHES: [i64; 4] = [
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_sync_file_range,
    libc::SYS_msync,
];

/// By number.
static TRUST: [Trust; table::LENGTH] = [const { Trust::none() }; table::LENGTH];

/// Has a call made by whoever is to make it.
pub(super) fn make(call: Call) -> Outcome {
    let is_quick = TRUST[call.number].is_there();
    if is_quick && config::get().file == File::Posix && !call.hub().is_lone() {
        Outcome::Brief
    } else {
        super::cooperate(super::in_pool, call)
    }
}

/// Makes a call, and learns from how long it took.
pub(crate) fn timed<T>(number: usize, make: impl FnOnce() -> T) -> T {
    let begun = sys::now(libc::CLOCK_MONOTONIC);
    let made = make();
    took(number, sys::now(libc::CLOCK_MONOTONIC) - begun);
    made
}

/// A call took so long, in ns.
fn took(number: usize, ns: u64) {
    let Some(trust) = TRUST.get(number) else {
        return;
    };
    let (quick, slow) = if FLUSHES.contains(&(number as i64)) {
        (QUICK_FLUSH, QUICK_FLUSH)
    } else {
        (QUICK, SLOW)
    };
    if ns <= quick {
        trust.went_well();
    } else if ns <= slow {
        trust.went_so_so();
    } else {
        trust.went_wrong();
    }
}
