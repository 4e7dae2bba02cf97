//! What has gone well for so long that it may be done the short way, which holds up a hub when it goes wrong after all.
//!
//! - *Reads of a file that the page cache has* ([`super::regular`]), by descriptor. A read that must not wait is `preadv2(RWF_NOWAIT)`, and the kernel takes a sixth longer for that than
//!   for a plain one of 4 KiB; a plain one of what the cache has lost waits for the disk.
//! - *Calls that are mostly quick* ([`super::brief`]), by number. In line they take a microsecond where the way to the pool and back takes ten or more; one that is
//!   slow after all takes as long as the disk does.
//!
//! Trust is won by [`FIRST`] times in a row that went well, and lost by one that did not; then it takes twice as many, until it has been kept
//! for [`FORGIVEN`] times: `RWF_NOWAIT`, for one, says now and then that a read would wait although the cache has it all. Where more than one in some ten thousand
//! goes wrong, trust is lost sooner than it is forgiven, and soon takes longer to win than it lasts: how many went the short way and wrong is bounded by number, at
//! one for each doubling. Where fewer do, it is bounded by that. Reads on the short way do not tell how they went, so one in [`LOOK_EVERY`] goes the long way, to
//! look, and the first bound is as many times larger.
//!
//! Tasks on several hubs may lose each other's steps, of whatever kind. That makes for a little more, or less, trust than there should be.

use std::sync::atomic::{AtomicU32, Ordering};

/// So many in a row must have gone well.
const FIRST: u32 = 64;
/// One in so many looks, of those that otherwise do not tell.
const LOOK_EVERY: u32 = 8;
/// After so many that went well with trust, one doubling is taken back.
const FORGIVEN: u32 = 1 << 16;
/// What it takes is doubled no more often.
const DOUBLINGS: u32 = 16;

/// The lower bits hold how many in a row went well, those above how often what it takes was doubled. All zero: nothing is known yet.
#[derive(Debug)]
pub(crate) struct Trust(AtomicU32);

const DOUBLED: u32 = 24;
const IN_A_ROW: u32 = (1 << DOUBLED) - 1;

impl Trust {
    /// None yet.
    pub(super) const fn none() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Whether there is trust. How it went is to be told.
    #[inline]
    pub(super) fn is_there(&self) -> bool {
        let trust = self.0.load(Ordering::Relaxed);
        trust & IN_A_ROW >= FIRST << (trust >> DOUBLED)
    }

    /// Whether the short way may be gone by what does not tell how it went, which counts as well.
    #[inline]
    pub(super) fn goes_unseen(&self) -> bool {
        let looks = self.0.load(Ordering::Relaxed) % LOOK_EVERY == 0;
        let goes = !looks && self.is_there();
        if goes {
            self.went_well();
        }
        goes
    }

    /// It went well.
    #[inline]
    pub(super) fn went_well(&self) {
        let trust = self.0.load(Ordering::Relaxed);
        let next = trust + 1;
        let doubled = trust >> DOUBLED;
        let forgiven = next & IN_A_ROW == (FIRST << doubled) + FORGIVEN;
        let next = if forgiven {
            let doubled = doubled.saturating_sub(1);
            (doubled << DOUBLED) | (FIRST << doubled)
        } else {
            next
        };
        self.0.store(next, Ordering::Relaxed);
    }

    /// It did not go well, and not wrong either: trust is to be won anew, half as long.
    pub(super) fn went_so_so(&self) {
        let doubled = self.0.load(Ordering::Relaxed) >> DOUBLED;
        let trust = (doubled << DOUBLED) | ((FIRST / 2) << doubled);
        self.0.fetch_min(trust, Ordering::Relaxed);
    }

    /// It went wrong.
    pub(super) fn went_wrong(&self) {
        let doubled = self.0.load(Ordering::Relaxed) >> DOUBLED;
        let doubled = (doubled + 1).min(DOUBLINGS);
        self.0.store(doubled << DOUBLED, Ordering::Relaxed);
    }

    /// It is about something else now.
    pub(crate) fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many times, of which some go wrong, by what looks: how many went the short way unseen, and how many of these wrong.
    fn unseen(trust: &Trust, times: u32, mut is_wrong: impl FnMut(u32) -> bool) -> (u32, u32) {
        let (mut short, mut wrong) = (0, 0);
        for time in 0..times {
            let is_wrong = is_wrong(time);
            if trust.goes_unseen() {
                short += 1;
                wrong += u32::from(is_wrong);
            } else if is_wrong {
                trust.went_wrong();
            } else {
                trust.went_well();
            }
        }
        (short, wrong)
    }

    /// The same for what always tells.
    fn seen(trust: &Trust, times: u32, mut is_wrong: impl FnMut(u32) -> bool) -> (u32, u32) {
        let (mut short, mut wrong) = (0, 0);
        for time in 0..times {
            let is_wrong = is_wrong(time);
            if trust.is_there() {
                short += 1;
                wrong += u32::from(is_wrong);
            }
            if is_wrong {
                trust.went_wrong();
            } else {
                trust.went_well();
            }
        }
        (short, wrong)
    }

    fn at_random(one_in: u64) -> impl FnMut(u32) -> bool {
        let mut random = 1u64;
        move |_| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) % one_in == 0
        }
    }

    #[test]
    fn what_goes_well_goes_the_short_way_but_for_those_that_look() {
        let trust = Trust::none();
        assert_eq!(unseen(&trust, FIRST, |_| false), (0, 0));
        assert_eq!(unseen(&trust, 8000, |_| false), (7000, 0));
        let trust = Trust::none();
        assert_eq!(seen(&trust, FIRST + 1000, |_| false), (1000, 0));
    }

    #[test]
    fn what_always_goes_wrong_never_goes_the_short_way() {
        let trust = Trust::none();
        assert_eq!(unseen(&trust, 1 << 20, |_| true), (0, 0));
        // Nor soon after.
        assert_eq!(unseen(&trust, FIRST << DOUBLINGS, |_| false), (0, 0));
        assert_eq!(unseen(&trust, 8, |_| false), (7, 0));
    }

    #[test]
    fn hardly_any_goes_the_short_way_and_wrong() {
        for one_in in [2, 10, 50, 100, 500, 1000, 2000] {
            let (_, wrong) = unseen(&Trust::none(), 4_000_000, at_random(one_in));
            let most = DOUBLINGS * LOOK_EVERY * 2;
            assert!(wrong <= most, "{wrong} where one in {one_in} does");
            let (_, wrong) = seen(&Trust::none(), 4_000_000, at_random(one_in));
            assert!(
                wrong <= DOUBLINGS,
                "{wrong} seen where one in {one_in} does"
            );
        }
    }

    #[test]
    fn what_goes_so_so_now_and_then_goes_the_short_way_for_the_most_part() {
        let short = |one_in| {
            let trust = Trust::none();
            let mut is_so_so = at_random(one_in);
            let mut short = 0;
            for time in 0..1_000_000 {
                short += u32::from(trust.is_there());
                if is_so_so(time) {
                    trust.went_so_so();
                } else {
                    trust.went_well();
                }
            }
            short
        };
        assert!(short(100) > 600_000, "{}", short(100));
        assert!(short(10) < 50_000, "{}", short(10));
    }

    #[test]
    fn one_that_goes_wrong_now_and_then_is_forgiven() {
        let (short, wrong) = unseen(&Trust::none(), 40_000_000, at_random(100_000));
        assert!(short > 34_000_000, "{short}");
        assert!(wrong < 500, "{wrong}");
    }

    #[test]
    fn what_goes_wrong_from_now_on_is_found_out_at_once() {
        let trust = Trust::none();
        unseen(&trust, 1000, |_| false);
        let (_, wrong) = unseen(&trust, 1000, |_| true);
        assert!(wrong < LOOK_EVERY, "{wrong}");
    }

    #[test]
    fn another_thing_begins_anew() {
        let trust = Trust::none();
        unseen(&trust, 1000, |_| false);
        trust.forget();
        assert_eq!(unseen(&trust, FIRST, |_| false), (0, 0));
    }
}
