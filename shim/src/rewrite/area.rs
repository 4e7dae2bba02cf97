//! Memory for stubs within reach of a `jmp rel32`.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How far a stub may be from the code that jumps to it: two GiB, less room for both to have a
/// size.
const REACH: usize = (1 << 31) - (1 << 20);

/// The lowest address that a program is allowed to map.
const LOWEST: usize = 0x1_0000;

/// The lowest address of the last region mapped: where the next one most likely fits.
static LAST: AtomicUsize = AtomicUsize::new(0);

/// A page-aligned region, writable and not yet executable.
pub struct Region {
    /// Its first byte.
    pub start: usize,
    /// Its length in bytes.
    pub len: usize,
}

impl Region {
    /// Maps `len` bytes within reach of all of an `object`, next to the last region if it can be.
    pub fn near(object: &Range<usize>, len: usize) -> Option<Region> {
        let len = len.next_multiple_of(page());
        let beside = LAST.load(Ordering::Relaxed).checked_sub(len);
        if let Some(region) = beside
            .filter(|&start| in_reach(object, start, len))
            .and_then(|start| map(start, len))
        {
            return Some(region);
        }
        let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
        places(&maps, object, len)
            .into_iter()
            .find_map(|start| map(start, len))
    }

    /// Whether all of it is within reach of all of an `object`.
    pub fn reaches(&self, object: &Range<usize>) -> bool {
        in_reach(object, self.start, self.len)
    }

    /// Makes it writable and no longer executable: for memory whose stubs no code jumps to any
    /// more.
    pub fn open(&self) -> bool {
        self.protect(libc::PROT_READ | libc::PROT_WRITE)
    }

    /// Makes it executable and no longer writable.
    pub fn seal(&self) -> bool {
        self.protect(libc::PROT_READ | libc::PROT_EXEC)
    }

    /// Gives it back.
    pub fn unmap(self) {
        // SAFETY: this module mapped it, and no stub in it is in use.
        unsafe { libc::munmap(self.start as *mut libc::c_void, self.len) };
    }

    fn protect(&self, protection: i32) -> bool {
        // SAFETY: this module mapped it, and nothing else holds references into it.
        unsafe { libc::mprotect(self.start as *mut libc::c_void, self.len, protection) == 0 }
    }
}

/// The size of a page.
pub fn page() -> usize {
    // SAFETY: reads a value that the kernel gave at the start of the process.
    unsafe { libc::getauxval(libc::AT_PAGESZ) as usize }
}

fn in_reach(object: &Range<usize>, start: usize, len: usize) -> bool {
    start >= LOWEST && start.max(object.end) + len - start.min(object.start) < REACH
}

/// Maps a region at exactly `start`, if nothing is there.
fn map(start: usize, len: usize) -> Option<Region> {
    let hint = start as *mut libc::c_void;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: a new mapping, which replaces none.
    let at = unsafe { libc::mmap(hint, len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return None;
    }
    let region = Region {
        start: at as usize,
        len,
    };
    if at != hint {
        // A kernel that takes the address as a mere hint (before Linux 4.17).
        region.unmap();
        return None;
    }
    LAST.store(start, Ordering::Relaxed);
    Some(region)
}

/// The addresses in reach of `object` at which `len` bytes fit between the mappings, best first:
/// below the object, nearest first, then above it, nearest first. Never where a mapping will want
/// to grow: right above the heap, right below a stack.
fn places(maps: &str, object: &Range<usize>, len: usize) -> Vec<usize> {
    let (mut below, mut above) = (Vec::new(), Vec::new());
    let mut floor = LOWEST;
    let mut grows = false;
    for line in maps.lines() {
        let Some((start, end)) = bounds(line) else {
            continue;
        };
        if start.saturating_sub(floor) >= len {
            if start <= object.start && !line.ends_with("[stack]") {
                below.push(start - len);
            } else if floor >= object.end && !grows {
                above.push(floor);
            }
        }
        floor = floor.max(end);
        grows = line.ends_with("[heap]");
    }
    below.reverse();
    below.append(&mut above);
    below.retain(|&start| in_reach(object, start, len));
    below
}

/// The addresses at the start of a line of `/proc/self/maps`.
fn bounds(line: &str) -> Option<(usize, usize)> {
    let (start, rest) = line.split_once('-')?;
    let (end, _) = rest.split_once(' ')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    Some((number(start)?, number(end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIE: &str = "\
555555554000-555555576000 r--p 00000000 fd:00 1 /usr/bin/x
555555576000-5555555a0000 r-xp 00022000 fd:00 1 /usr/bin/x
5555555b0000-5555555d1000 rw-p 00000000 00:00 0 [heap]
7ffff7dc0000-7ffff7de6000 r--p 00000000 fd:00 1 /lib/libc.so.6
7ffff7de6000-7ffff7f3c000 r-xp 00026000 fd:00 1 /lib/libc.so.6
7ffff7fcb000-7ffff7ffd000 r-xp 00000000 fd:00 1 /lib/ld.so
7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]
";

    #[test]
    fn prefers_the_nearest_gap_below() {
        let libc = 0x7fff_f7de_6000..0x7fff_f7f3_c000;
        assert_eq!(
            places(PIE, &libc, 0x9000),
            [0x7fff_f7db_7000, 0x7fff_f7f3_c000, 0x7fff_f7ff_d000]
        );
    }

    #[test]
    fn leaves_the_heap_room_to_grow() {
        let program = 0x5555_5557_6000..0x5555_555a_0000;
        assert_eq!(
            places(PIE, &program, 0x1000),
            [0x5555_5555_3000, 0x5555_555a_0000]
        );
    }

    #[test]
    fn leaves_the_stack_room_to_grow() {
        let above_stack = 0x7fff_ffff_f000..0x7fff_ffff_ffff;
        let places = places(PIE, &above_stack, 0x1000);
        assert!(!places.contains(&0x7fff_fffd_d000), "{places:x?}");
        assert!(places.contains(&0x7fff_f7fc_a000), "{places:x?}");
    }

    #[test]
    fn goes_above_where_nothing_fits_below() {
        let maps = "00400000-00401000 r-xp 0 0 0 /x\n00403000-00404000 rw-p 0 0 0 /x\n";
        let program = 0x40_0000..0x40_1000;
        assert_eq!(places(maps, &program, 0x1000), [0x3f_f000, 0x40_1000]);
        assert_eq!(places(maps, &program, 0x3f_8000), [0usize; 0]);
    }

    #[test]
    fn maps_within_reach_and_seals() {
        let start = maps_within_reach_and_seals as *const () as usize;
        let text = start..start + 1;
        let regions = [0x1000, 0x2001].map(|len| Region::near(&text, len).expect("room"));
        assert_eq!(regions[1].len, 0x3000);
        for region in regions {
            assert!(region.reaches(&text));
            assert!(region.seal() && region.open());
            // SAFETY: the region is mapped, writable, and this test's own.
            unsafe { std::ptr::write_bytes(region.start as *mut u8, 1, region.len) };
            region.unmap();
        }
    }
}
