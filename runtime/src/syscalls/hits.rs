//! Whether the page cache has always had what was read of a file, so that the next read may be a plain one.
//!
//! A read that must not wait is `preadv2(RWF_NOWAIT)`, and the kernel takes a sixth longer for that than for a plain read of 4 KiB. A plain one of
//! what the cache has lost holds up its hub for as long as the disk takes. So a descriptor has to prove itself by [`FIRST`] reads in a row that did not wait;
//! from then on one read in [`LOOK_EVERY`] looks whether it still is so. One that would have waited takes the descriptor back to the beginning, and it
//! has to prove itself twice as long, until it has been trusted for [`FORGIVEN`] reads: `RWF_NOWAIT` says now and then that a read would wait although the cache
//! has it all. Where more than one read in some ten thousand waits, trust is lost sooner than it is forgiven, and each time that it doubles costs as many plain reads that wait as there
//! are until one that looks meets a wait, `LOOK_EVERY` on average: they are bounded by number. Where fewer wait, they are bounded by that.
//!
//! Tasks on several hubs that read by one descriptor may lose each other's steps, of whatever kind. That makes it a little more, or less, trusted than it should be.

use std::sync::atomic::{AtomicU32, Ordering};

/// So many reads in a row must not have waited.
const FIRST: u32 = 64;
/// One read in so many looks.
const LOOK_EVERY: u32 = 8;
/// After so many reads of a trusted descriptor one doubling is taken back.
const FORGIVEN: u32 = 1 << 16;
/// The number of reads in a row is doubled no more often.
const DOUBLINGS: u32 = 16;
/// A plain read of more than this gains nothing to speak of.
pub(super) const LONGEST: usize = 16 << 10;

/// The lower bits hold the reads in a row, those above how often their number was doubled. All zero: nothing was read yet.
#[derive(Debug)]
pub(crate) struct Hits(AtomicU32);

const DOUBLED: u32 = 24;
const IN_A_ROW: u32 = (1 << DOUBLED) - 1;

impl Hits {
    /// Whether the next read may be a plain one, which counts as one that did not wait.
    #[inline]
    pub(super) fn may_read_plainly(&self) -> bool {
        let hits = self.0.load(Ordering::Relaxed);
        let trusted = hits & IN_A_ROW >= FIRST << (hits >> DOUBLED);
        let looks = hits % LOOK_EVERY == 0;
        if trusted && !looks {
            self.count(hits);
        }
        trusted && !looks
    }

    /// A read that looked did not wait.
    #[inline]
    pub(super) fn hit(&self) {
        self.count(self.0.load(Ordering::Relaxed));
    }

    #[inline]
    fn count(&self, hits: u32) {
        let next = hits + 1;
        let doubled = hits >> DOUBLED;
        let forgiven = next & IN_A_ROW == (FIRST << doubled) + FORGIVEN;
        let next = if forgiven {
            let doubled = doubled.saturating_sub(1);
            doubled << DOUBLED | FIRST << doubled
        } else {
            next
        };
        self.0.store(next, Ordering::Relaxed);
    }

    /// A read would have waited.
    pub(super) fn missed(&self) {
        let doubled = self.0.load(Ordering::Relaxed) >> DOUBLED;
        let doubled = (doubled + 1).min(DOUBLINGS);
        self.0.store(doubled << DOUBLED, Ordering::Relaxed);
    }

    /// The number means another file.
    pub(crate) fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a file so many times: how many reads were plain, and how many of these waited.
    fn waited(hits: &Hits, reads: u32, mut waits: impl FnMut(u32) -> bool) -> (u32, u32) {
        let (mut plain, mut waited) = (0, 0);
        for read in 0..reads {
            let waits = waits(read);
            if hits.may_read_plainly() {
                plain += 1;
                waited += u32::from(waits);
            } else if waits {
                hits.missed();
            } else {
                hits.hit();
            }
        }
        (plain, waited)
    }

    #[test]
    fn what_is_cached_is_read_plainly_but_for_one_read_in_eight() {
        let hits = Hits(AtomicU32::new(0));
        assert_eq!(waited(&hits, FIRST, |_| false), (0, 0));
        assert_eq!(waited(&hits, 8000, |_| false), (7000, 0));
    }

    #[test]
    fn what_is_not_cached_is_never_read_plainly() {
        let hits = Hits(AtomicU32::new(0));
        assert_eq!(waited(&hits, 1 << 20, |_| true), (0, 0));
        // Nor soon after.
        assert_eq!(waited(&hits, FIRST << DOUBLINGS, |_| false), (0, 0));
        assert_eq!(waited(&hits, 8, |_| false), (7, 0));
    }

    #[test]
    fn hardly_any_plain_read_waits_whatever_is_cached() {
        let mut random = 1u64;
        for one_in in [2, 10, 50, 100, 500, 1000, 2000] {
            let hits = Hits(AtomicU32::new(0));
            let (_, waited) = waited(&hits, 4_000_000, |_| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (random >> 33) % one_in == 0
            });
            let most = DOUBLINGS * LOOK_EVERY * 2;
            assert!(waited <= most, "{waited} waited where one in {one_in} does");
        }
    }

    #[test]
    fn a_wait_now_and_then_is_forgiven() {
        let hits = Hits(AtomicU32::new(0));
        let (plain, waited) = waited(&hits, 40_000_000, |read| read % 99_991 == 99_990);
        assert!(plain > 34_000_000, "{plain}");
        assert!(waited < 400, "{waited}");
    }

    #[test]
    fn a_file_that_the_cache_loses_is_found_out_at_once() {
        let hits = Hits(AtomicU32::new(0));
        waited(&hits, 1000, |_| false);
        let (_, waited) = waited(&hits, 1000, |_| true);
        assert!(waited < LOOK_EVERY, "{waited}");
    }

    #[test]
    fn another_file_has_to_prove_itself_anew() {
        let hits = Hits(AtomicU32::new(0));
        waited(&hits, 1000, |_| false);
        hits.forget();
        assert_eq!(waited(&hits, FIRST, |_| false), (0, 0));
    }
}
