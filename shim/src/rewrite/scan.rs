//! Two searches over raw bytes, sixteen at a time.
//!
//! Decoding a whole object takes tens of milliseconds; looking at its bytes takes less than one.
//! Most objects have no `syscall` at all and are done after the first search. The second finds the
//! jumps that reach a site from *another* function (compilers split a function's cold part off),
//! which decoding the enclosing function cannot see. It takes any bytes that look like a long jump:
//! one that is none costs at worst a choice.

use core::arch::x86_64::{
    __m128i, _mm_and_si128, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128,
    _mm_set1_epi8,
};

/// How far from a candidate a jump's target matters: more than a patch can span.
const REACH: usize = 32;

/// Calls `found` with each offset at which `mask`, given the sixteen bytes there and the sixteen
/// one byte later, has a bit; then looks at the rest byte by byte through `tail`.
#[inline(always)]
fn search(
    code: &[u8],
    mask: impl Fn(__m128i, __m128i) -> __m128i,
    tail: impl Fn(u8, u8) -> bool,
    mut found: impl FnMut(usize),
) {
    let mut at = 0;
    while at + 17 <= code.len() {
        // SAFETY: SSE2 is part of x86-64, and the 17 bytes from `at` are inside `code`.
        let mut bits = unsafe {
            let first = _mm_loadu_si128(code.as_ptr().add(at).cast());
            let second = _mm_loadu_si128(code.as_ptr().add(at + 1).cast());
            _mm_movemask_epi8(mask(first, second))
        };
        while bits != 0 {
            found(at + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
        at += 16;
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
        |first, second| unsafe { _mm_and_si128(equal(first, 0x0f), equal(second, 0x05)) },
        |first, second| (first, second) == (0x0f, 0x05),
        |at| offsets.push(at),
    );
    offsets
}

/// The offsets, sorted, that any bytes which look like a `jmp rel32` or `jcc rel32` lead to, of
/// those near a candidate.
pub fn long_jumps(code: &[u8], candidates: &[usize]) -> Vec<usize> {
    // One bit for each REACH bytes of code: few enough to stay in the first-level cache.
    let mut near = vec![0u64; code.len() / REACH / 64 + 2];
    for at in candidates {
        let granule = at / REACH;
        for granule in granule.saturating_sub(1)..=granule + 1 {
            near[granule / 64] |= 1 << (granule % 64);
        }
    }
    let mut targets = Vec::new();
    search(
        code,
        // SAFETY: SSE2 is part of x86-64.
        |first, second| unsafe {
            let conditional = _mm_and_si128(second, _mm_set1_epi8(0xf0u8 as i8));
            let conditional = _mm_and_si128(equal(first, 0x0f), equal(conditional, 0x80));
            _mm_or_si128(equal(first, 0xe9), conditional)
        },
        |first, second| first == 0xe9 || (first == 0x0f && second & 0xf0 == 0x80),
        |at| {
            let displacement = at + if code[at] == 0xe9 { 1 } else { 2 };
            let Some(bytes) = code.get(displacement..).and_then(|rest| rest.first_chunk()) else {
                return;
            };
            let relative = i32::from_le_bytes(*bytes) as isize;
            let Some(target) = (displacement + 4).checked_add_signed(relative) else {
                return;
            };
            let granule = target / REACH;
            if near
                .get(granule / 64)
                .is_some_and(|word| word & 1 << (granule % 64) != 0)
            {
                targets.push(target);
            }
        },
    );
    targets.sort_unstable();
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_candidate_at_every_offset() {
        for length in 2..70 {
            for at in 0..length - 1 {
                let mut code = vec![0x0f; length];
                code[at + 1] = 0x05;
                assert_eq!(candidates(&code), [at], "{at} of {length}");
            }
        }
        assert!(candidates(&[]).is_empty());
        assert!(candidates(&[0x0f]).is_empty());
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
        assert_eq!(long_jumps(&code, &[105]), [100, 110]);
        // Backwards, from the very end, and one whose displacement is cut off.
        code[391] = 0xe9;
        code[392..396].copy_from_slice(&(-296i32).to_le_bytes());
        code[398] = 0xe9;
        assert_eq!(long_jumps(&code, &[105]), [100, 100, 110]);
        // Near means near, on either side of any boundary.
        for candidate in [97, 118, 127, 128] {
            assert!(
                long_jumps(&code, &[candidate]).contains(&110),
                "{candidate}"
            );
        }
    }
}
