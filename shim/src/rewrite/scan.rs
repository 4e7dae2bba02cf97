//! Two searches over raw bytes, sixty-four at a time.
//!
//! Decoding a whole object takes seconds; looking at its bytes takes about as long as reading them.
//! Most objects have no `syscall` at all and are done after the first search. The second finds the
//! jumps that reach a site from *another* function (compilers split a function's cold part off),
//! which decoding the enclosing function cannot see. It takes any bytes that look like a long jump:
//! one that is none costs at worst a choice.

use core::arch::x86_64::{
    __m128i, _mm_and_si128, _mm_andnot_si128, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8,
    _mm_or_si128, _mm_prefetch, _mm_set1_epi8, _MM_HINT_T0,
};

/// How far from a candidate a jump's target matters: more than a patch can span.
const REACH: u64 = 32;

/// Sixteen bytes of code, and those behind them.
#[derive(Clone, Copy)]
struct Place<'a>(&'a [u8; 16 + FURTHEST]);

impl Place<'_> {
    /// Sixteen bytes, `N` further on.
    #[inline(always)]
    fn plus<const N: usize>(self) -> __m128i {
        const { assert!(N <= FURTHEST) };
        // SAFETY: SSE2 is part of x86-64, and the array has this many bytes.
        unsafe { _mm_loadu_si128(self.0.as_ptr().add(N).cast()) }
    }
}

/// How much further than a byte a search looks.
const FURTHEST: usize = 5;

/// Calls `found` with each offset at which `mask`, given the place, has a bit; then looks at the
/// rest byte by byte through `tail`.
#[inline(always)]
fn search(
    code: &[u8],
    mask: impl Fn(Place) -> __m128i,
    tail: impl Fn(u8, u8) -> bool,
    mut found: impl FnMut(usize),
) {
    const PARTS: usize = 4;
    const STEP: usize = 16 * PARTS;
    /// How far ahead to ask memory for more.
    const AHEAD: usize = 2048;
    let mut at = 0;
    while let Some(window) = code.get(at..at + STEP + FURTHEST) {
        let ahead = code.as_ptr().wrapping_add(at + AHEAD);
        // SAFETY: SSE is part of x86-64, and what is not there is not fetched.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(ahead.cast()) };
        let mut bits = 0u64;
        for part in 0..PARTS {
            let place = window[part * 16..].first_chunk().map(Place);
            // SAFETY: SSE2 is part of x86-64.
            let part_bits = place.map_or(0, |place| unsafe { _mm_movemask_epi8(mask(place)) });
            bits |= u64::from(part_bits as u16) << (part * 16);
        }
        while bits != 0 {
            found(at + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
        at += STEP;
    }
    for (offset, pair) in code[at..].windows(2).enumerate() {
        if tail(pair[0], pair[1]) {
            found(at + offset);
        }
    }
}

#[inline(always)]
fn equal(bytes: __m128i, value: u8) -> __m128i {
    // SAFETY: SSE2 is part of x86-64.
    unsafe { _mm_cmpeq_epi8(bytes, _mm_set1_epi8(value as i8)) }
}

/// The offsets of all byte pairs `0f 05`.
pub fn candidates(code: &[u8]) -> Vec<usize> {
    let mut offsets = Vec::new();
    search(
        code,
        // SAFETY: SSE2 is part of x86-64.
        |place| unsafe {
            _mm_and_si128(
                equal(place.plus::<0>(), 0x0f),
                equal(place.plus::<1>(), 0x05),
            )
        },
        |first, second| (first, second) == (0x0f, 0x05),
        |at| offsets.push(at),
    );
    offsets
}

/// Which addresses are near one of some sites.
pub struct Near<'a> {
    /// The sites, sorted.
    sites: &'a [u64],
    /// One bit for each page that has an address near a site: few enough to stay in the cache.
    pages: Vec<u64>,
    /// The number of the first page.
    first: u64,
}

impl<'a> Near<'a> {
    const PAGE: u64 = 4096;

    /// Of `sites`, sorted addresses.
    pub fn new(sites: &'a [u64]) -> Near<'a> {
        let number = |at: u64| at / Self::PAGE;
        let (low, high) = match sites {
            [] => (0, 0),
            [first, ..] => (first.saturating_sub(REACH), sites[sites.len() - 1] + REACH),
        };
        let first = number(low);
        let mut pages = vec![0; ((number(high) - first) / 64 + 1) as usize];
        for &site in sites {
            for at in [site.saturating_sub(REACH), site + REACH] {
                let page = number(at) - first;
                pages[(page / 64) as usize] |= 1 << (page % 64);
            }
        }
        Near {
            sites,
            pages,
            first,
        }
    }

    #[inline(always)]
    fn has(&self, at: u64) -> bool {
        let page = (at / Self::PAGE).wrapping_sub(self.first);
        let word = self
            .pages
            .get(usize::try_from(page / 64).unwrap_or(usize::MAX));
        word.is_some_and(|word| word & 1 << (page % 64) != 0) && self.has_exactly(at)
    }

    /// Whether a site is at most `distance` away from an address.
    fn within(&self, at: u64, distance: u64) -> bool {
        let low = at.saturating_sub(distance);
        let next = self.sites.partition_point(|&site| site < low);
        self.sites
            .get(next)
            .is_some_and(|&site| site <= at.saturating_add(distance))
    }

    #[cold]
    fn has_exactly(&self, at: u64) -> bool {
        self.within(at, REACH)
    }
}

/// Adds to `targets` the addresses near sites that any bytes of `code`, which begins at `vaddr`,
/// lead to if they look like a `jmp rel32` or `jcc rel32`.
///
/// Nearly all such jumps lead somewhere nearby, so in most of a large object none of those that go
/// less than 64 KiB matters, and only the others are looked at one by one.
pub fn long_jumps(code: &[u8], vaddr: u64, near: &Near, targets: &mut Vec<u64>) {
    const BLOCK: usize = 1 << 16;
    /// The longest jump, less a byte.
    const OVERLAP: usize = 5;
    for start in (0..code.len()).step_by(BLOCK) {
        let end = (start + BLOCK + OVERLAP).min(code.len());
        let (block, vaddr) = (&code[start..end], vaddr.wrapping_add(start as u64));
        if near.within(vaddr, 3 * BLOCK as u64) {
            jumps_in(block, vaddr, near, targets, |place| {
                // SAFETY: SSE2 is part of x86-64.
                unsafe { _mm_or_si128(is_jmp(place), is_jcc(place)) }
            });
        } else {
            jumps_in(block, vaddr, near, targets, |place| {
                let (jmp, jcc) = (is_jmp(place), is_jcc(place));
                let (third, fourth, fifth) =
                    (place.plus::<3>(), place.plus::<4>(), place.plus::<5>());
                // SAFETY: SSE2 is part of x86-64.
                unsafe {
                    _mm_or_si128(
                        _mm_andnot_si128(sign(third, fourth), jmp),
                        _mm_andnot_si128(sign(fourth, fifth), jcc),
                    )
                }
            });
        }
    }
}

#[inline(always)]
fn is_jmp(place: Place) -> __m128i {
    equal(place.plus::<0>(), 0xe9)
}

#[inline(always)]
fn is_jcc(place: Place) -> __m128i {
    // SAFETY: SSE2 is part of x86-64.
    unsafe {
        let high = _mm_and_si128(place.plus::<1>(), _mm_set1_epi8(0xf0u8 as i8));
        _mm_and_si128(equal(place.plus::<0>(), 0x0f), equal(high, 0x80))
    }
}

/// Where the two high bytes of a displacement are no more than its sign.
#[inline(always)]
fn sign(low: __m128i, high: __m128i) -> __m128i {
    // SAFETY: SSE2 is part of x86-64.
    unsafe {
        let zeroes = equal(_mm_or_si128(low, high), 0);
        let ones = equal(_mm_and_si128(low, high), 0xff);
        _mm_or_si128(zeroes, ones)
    }
}

#[inline(always)]
fn jumps_in(
    code: &[u8],
    vaddr: u64,
    near: &Near,
    targets: &mut Vec<u64>,
    mask: impl Fn(Place) -> __m128i,
) {
    search(
        code,
        mask,
        |first, second| first == 0xe9 || (first == 0x0f && second & 0xf0 == 0x80),
        |at| {
            let displacement = at + if code[at] == 0xe9 { 1 } else { 2 };
            let Some(bytes) = code.get(displacement..).and_then(|rest| rest.first_chunk()) else {
                return;
            };
            let relative = i32::from_le_bytes(*bytes).into();
            let next = vaddr.wrapping_add(displacement as u64 + 4);
            let target = next.wrapping_add_signed(relative);
            if near.has(target) {
                targets.push(target);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_candidate_at_every_offset() {
        for length in 2..200 {
            for at in 0..length - 1 {
                let mut code = vec![0x0f; length];
                code[at + 1] = 0x05;
                assert_eq!(candidates(&code), [at], "{at} of {length}");
            }
        }
        assert!(candidates(&[]).is_empty());
        assert!(candidates(&[0x0f]).is_empty());
    }

    /// The targets of jumps in code at 0x10_0000, as offsets.
    fn jumps(code: &[u8], candidates: &[u64]) -> Vec<u64> {
        const VADDR: u64 = 0x10_0000;
        let sites: Vec<u64> = candidates.iter().map(|at| VADDR + at).collect();
        let mut targets = Vec::new();
        long_jumps(code, VADDR, &Near::new(&sites), &mut targets);
        targets.iter().map(|at| at - VADDR).collect()
    }

    #[test]
    fn finds_long_jumps_to_candidates_only() {
        // A jmp at 0 to 100, a jne at 20 to 110, and a jmp at 40 to 300, which is nowhere near.
        let mut code = vec![0x90; 400];
        code[0] = 0xe9;
        code[1..5].copy_from_slice(&95i32.to_le_bytes());
        code[20..22].copy_from_slice(&[0x0f, 0x85]);
        code[22..26].copy_from_slice(&84i32.to_le_bytes());
        code[40] = 0xe9;
        code[41..45].copy_from_slice(&255i32.to_le_bytes());
        assert_eq!(jumps(&code, &[105]), [100, 110]);
        // Backwards, from the very end, and one whose displacement is cut off.
        code[391] = 0xe9;
        code[392..396].copy_from_slice(&(-296i32).to_le_bytes());
        code[398] = 0xe9;
        assert_eq!(jumps(&code, &[105]), [100, 110, 100]);
        // Near means near, on either side of any boundary.
        for candidate in [97, 118, 127, 128] {
            assert!(
                jumps(&code, &[3, candidate, 390]).contains(&110),
                "{candidate}"
            );
        }
    }

    #[test]
    fn finds_long_jumps_from_far_and_near() {
        // Sites in the middle of half a megabyte; jumps from all over, of every kind.
        let site = 0x4_0123;
        for at in (0..0x8_0000 - 8)
            .step_by(0x1235)
            .chain([0xfffc, 0xffff, 0x1_0000])
        {
            let mut code = vec![0x90; 0x8_0000];
            let opcode: &[u8] = if at % 2 == 0 { &[0xe9] } else { &[0x0f, 0x8f] };
            let next = at + opcode.len() + 4;
            code[at..at + opcode.len()].copy_from_slice(opcode);
            let relative = site - next as i32;
            code[next - 4..next].copy_from_slice(&relative.to_le_bytes());
            let found = jumps(&code, &[site as u64]);
            assert!(found.contains(&(site as u64)), "{at:#x}");
        }
    }

    #[test]
    fn near_is_within_reach() {
        for site in [0u64, 5, 4095, 4096, 4130, 1 << 40] {
            let sites = [site, 1 << 41];
            let near = Near::new(&sites);
            for at in site.saturating_sub(100)..site + 100 {
                assert_eq!(near.has(at), at.abs_diff(site) <= REACH, "{at} of {site}");
            }
        }
        assert!(!Near::new(&[]).has(0));
    }
}
