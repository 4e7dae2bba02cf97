//! The rewrite door: every `syscall` instruction of the program becomes a jump into the crossing.
//!
//! ```text
//!  before                                 after
//!    ...                                    ...
//!    mov  $nr, %eax       b8 ........       jmp  stub ──────────┐   e9 ........
//!    syscall              0f 05             syscall             │   0f 05, now jumped over
//!  next:                                  next:                 │
//!    cmp  $-4096, %rax                      cmp  $-4096, %rax   │ ◀─┐
//!    ...                                    ...                 │   │
//!                                                               │   │
//!  stub  ◀──────────────────────────────────────────────────────┘   │
//!    mov  $nr, %eax             the instructions from before        │
//!    mov  %fs:TPOFF, %rcx       the current task                    │
//!    jrcxz native               none: an ordinary system call       │
//!    lea  after(%rip), %r11     where to come back to               │
//!    jmp  *entry(%rip)          the crossing, which keeps all       │
//!  native:                      registers but rax, rcx and r11      │
//!    syscall                                                        │
//!  after:                                                           │
//!    ...                        the instructions from after, if any │
//!    jmp  next or later  ───────────────────────────────────────────┘
//! ```
//!
//! No flag changes, nothing is pushed, and `rcx` and `r11` are what a `syscall` overwrites anyway.
//! The crossing may also jump to `r11 - 2` to have the kernel answer the call as it stands.
//! The stubs of a few calls, and of all that may be one of these, lead to an entry without a task, too: see [`guarded`](crate::guarded) and
//! [`programs`](crate::programs).
//!
//! - [`scan`] finds the bytes `0f 05`, and long jumps; [`image`] says what function they are in;
//! - [`sift`] tells which of them can be instructions, and [`body`] decodes the functions of these;
//! - [`plan`] chooses the bytes to replace;
//! - [`stub`] writes the stub, [`area`] finds memory for it within ±2 GiB;
//! - [`table`] knows the way from original addresses to stubs and back, and [`plain`] the code that has none.
//!
//! There are two entries. The full one keeps registers beyond SSE too: code built for them may have
//! them live over an inline system call. libc and the loader do not, as a call of a C function
//! keeps none, so only those of their functions that use such registers take it. The same goes for the
//! vDSO, the kernel's object in the process: what its functions cannot answer (a thread's CPU clock) they
//! ask the kernel for. Its pages can be written as any object's and are the process's own then, unless they
//! are sealed (Linux 6.15, `CONFIG_MSEAL_SYSTEM_MAPPINGS`).
//!
//! Code is written while nothing else can run it: for all objects loaded, while the process has one
//! thread; for an object that the loader maps later, before it returns from that `mmap`. There is
//! no lock here, so nothing to hold over a fork.

mod area;
mod body;
mod plain;
mod plan;
mod scan;
mod sift;
mod stub;
mod table;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::ops::{AddAssign, Range};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::image::{Function, Image, Segment};
use coop_runtime::{guard, objects};
use plan::{Patch, Surroundings, Verdict};
use stub::{Stub, SLOT};

#[cfg(test)]
use table::in_stubs;
pub use table::{continuation, original};

/// Where the stubs lead.
#[derive(Clone, Copy, Debug)]
pub struct Entries {
    /// The offset of the current-task word from the FS base.
    pub slot_tpoff: i32,
    /// The entry that keeps the registers up to SSE.
    pub entry: usize,
    /// The entry that keeps all registers.
    pub entry_full: usize,
    /// The entry of libc's execve, which takes calls without a task, too.
    pub exec: usize,
    /// The entries of what a child must not close, which do so, too.
    pub guarded: usize,
    /// The one that keeps all registers.
    pub guarded_full: usize,
    /// Any address in this library, to know it by.
    pub own_address: usize,
}

/// Which sites are to be rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sites {
    /// All.
    All,
    /// libc's that lead to an entry without a task, too (see [`Stub::takes_all`]).
    Native,
}

/// What became of the system calls of some objects.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Sites that lead into the crossing now.
    pub rewritten: usize,
    /// Sites that need the trap door.
    pub trapped: usize,
    /// Sites left as they are on purpose: returns from signal handlers, and what was rewritten before.
    pub left: usize,
    /// Byte pairs that look like a `syscall` and are none.
    pub false_candidates: usize,
    /// Objects looked at: all but this library.
    pub objects: usize,
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Report) {
        self.rewritten += other.rewritten;
        self.trapped += other.trapped;
        self.left += other.left;
        self.false_candidates += other.false_candidates;
        self.objects += other.objects;
    }
}

/// What became of the system calls of one object.
#[derive(Clone, Debug)]
pub struct ObjectReport {
    /// The path the loader knows it by; empty for the program itself.
    pub name: String,
    /// The counts.
    pub report: Report,
}

/// Rewrites every object that is loaded, and shows `each` what became of it. The process has one
/// thread.
pub fn rewrite_loaded(
    entries: &Entries,
    sites: Sites,
    mut each: impl FnMut(&ObjectReport),
) -> Report {
    let objects = loaded();
    let mut total = Report::default();
    for object in &objects {
        if sites == Sites::Native && !is_core(&object.name) {
            continue;
        }
        let report = object.rewrite(entries, sites);
        each(&ObjectReport {
            name: object.name.clone(),
            report,
        });
        total += report;
    }
    total
}

/// Rewrites an object's code that was just mapped privately from offset `file_offset` of `fd` to
/// `addr`, before any of it ran. Its other segments may not be mapped yet, so all else is read from
/// the file, whose image this is. Does nothing if it is no object with that code.
pub fn rewrite_mapping(
    entries: &Entries,
    fd: i32,
    image: Option<Image>,
    addr: usize,
    len: usize,
    file_offset: u64,
) -> Report {
    let mapped = addr..addr.saturating_add(len);
    let replaced = |text: &Range<usize>| text.start < mapped.end && mapped.start < text.end;
    table::forget(replaced);
    plain::forget(replaced);
    let Some(image) = image else {
        return Report::default();
    };
    let page = area::page() as u64;
    let starts_here = |segment: &Segment| segment.offset / page * page == file_offset;
    let Some(first) = image
        .segments
        .iter()
        .find(|s| s.executable() && starts_here(s))
    else {
        return Report::default();
    };
    let bias = (addr as u64).wrapping_sub(first.vaddr / page * page) as usize;
    let object = Object {
        name: fd_name(fd),
        image,
        bias,
        within: mapped,
        is_kernels: false,
    };
    object.rewrite(entries, Sites::All)
}

/// Forgets code that is being unmapped. Its stubs' memory serves the next object.
pub fn forget(addr: usize, len: usize) {
    let gone = addr..addr.saturating_add(len);
    let unmapped = |text: &Range<usize>| gone.start <= text.start && text.end <= gone.end;
    table::forget(unmapped);
    plain::forget(unmapped);
}

/// An object, somewhere in memory.
struct Object<'a> {
    name: String,
    image: Image<'a>,
    /// Run-time addresses less link-time addresses.
    bias: usize,
    /// Only code in this range is there.
    within: Range<usize>,
    /// The kernel's: the vDSO.
    is_kernels: bool,
}

/// All objects that are loaded. The process has one thread, and nobody unloads any meanwhile.
fn loaded() -> Vec<Object<'static>> {
    // SAFETY: reads a value that the kernel gave at the start of the process.
    let vdso = unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) } as usize;
    let mut found = Vec::new();
    objects::find(|object| {
        found.push(Object {
            is_kernels: vdso != 0 && object.segment_of(vdso).is_some(),
            name: object.name(),
            // SAFETY: it stays loaded, as this function's caller has the only thread.
            image: unsafe { Image::loaded(&object) },
            bias: object.bias(),
            within: 0..usize::MAX,
        });
        None::<()>
    });
    found
}

/// Where an image's segments are.
fn runtime_ranges<'a>(image: &'a Image, bias: usize) -> impl Iterator<Item = Range<usize>> + 'a {
    image.segments.iter().map(move |segment| {
        let start = bias.wrapping_add(segment.vaddr as usize);
        start..start.wrapping_add(segment.bytes.len())
    })
}

impl Object<'_> {
    fn rewrite(&self, entries: &Entries, sites: Sites) -> Report {
        let own = runtime_ranges(&self.image, self.bias)
            .any(|range| range.contains(&entries.own_address));
        if own {
            return Report::default();
        }
        let mut report = Report {
            objects: 1,
            ..Report::default()
        };
        for segment in self.image.segments.iter().filter(|s| s.executable()) {
            report += self.rewrite_segment(segment, entries, sites);
        }
        if self.is_kernels {
            // What cannot be written is left alone: these calls never wait, and to trap them would cost all others more.
            report.left += std::mem::take(&mut report.trapped);
        }
        report
    }

    fn rewrite_segment(&self, segment: &Segment, entries: &Entries, sites: Sites) -> Report {
        let mut report = Report::default();
        if segment.flags & libc::PF_R == 0 {
            // Code that cannot be read can hold anything.
            report.trapped = 1;
            return report;
        }
        let start = self.bias.wrapping_add(segment.vaddr as usize);
        let text = start..start.wrapping_add(segment.bytes.len());
        if text.start < self.within.start || text.end > self.within.end {
            return report;
        }
        let known = table::stubs_of(&text);
        if known != 0 {
            report.left = known;
            return report;
        }
        if let Some(known) = plain::known(&text, segment.bytes) {
            return known;
        }
        let mut patches = Vec::new();
        let before = |at: u64| &segment.bytes[..(at - segment.vaddr) as usize];
        for (at, verdict) in self.judge(segment, &mut report) {
            match verdict {
                Verdict::Not => report.false_candidates += 1,
                _ if is_signal_return(before(at)) => report.left += 1,
                _ if sites == Sites::Native && !takes_native(before(at)) => report.left += 1,
                Verdict::Trap => report.trapped += 1,
                Verdict::Rewrite(_) if self.image.relocates_code => report.trapped += 1,
                Verdict::Rewrite(patch) => patches.push(patch),
            }
        }
        let count = patches.len();
        if count == 0 && sites == Sites::All {
            plain::remember(text.clone(), segment.bytes, report);
        }
        match self.install(segment, text, &patches, entries) {
            Some(()) => report.rewritten += count,
            None => report.trapped += count,
        }
        report
    }

    /// The verdicts on candidates, each with its address; those that are clearly none are only
    /// counted.
    fn judge(&self, segment: &Segment, report: &mut Report) -> Vec<(u64, Verdict)> {
        let functions = self.image.functions();
        let function = |at| functions.as_ref()?.at_or_before(at);
        let candidates = scan::candidates(segment.bytes);
        let around = Surroundings {
            code: segment.bytes,
            vaddr: segment.vaddr,
            targets: OnceCell::new(),
            long_jumps: &Vec::new,
            extent: self.image.extent(),
            word: &|at| self.image.word(at),
            function: &function,
        };
        let possible: Vec<(u64, Option<Function>)> = candidates
            .iter()
            .map(|&offset| segment.vaddr + offset as u64)
            .map(|at| (at, function(at)))
            .filter(|(at, function)| match function {
                Some(function) => sift::possible(&around, function, *at),
                None => sift::stray(&around, *at) != Verdict::Not,
            })
            .collect();
        report.false_candidates += candidates.len() - possible.len();
        let sites: Vec<u64> = possible.iter().map(|&(at, _)| at).collect();
        let targets = || self.long_jumps(&sites);
        let around = Surroundings {
            long_jumps: &targets,
            ..around
        };
        let mut verdicts = Vec::with_capacity(possible.len());
        for group in possible.chunk_by(|a, b| a.1 == b.1) {
            let addresses: Vec<u64> = group.iter().map(|&(at, _)| at).collect();
            let judged = match group[0].1 {
                Some(function) => plan::plan(&around, function, &addresses),
                None => vec![Verdict::Trap; addresses.len()],
            };
            verdicts.extend(addresses.into_iter().zip(judged));
        }
        verdicts
    }

    /// The addresses near `sites`, sorted, that long jumps lead to, from all of the object's code.
    fn long_jumps(&self, sites: &[u64]) -> Vec<u64> {
        let near = scan::Near::new(sites);
        let mut targets = Vec::new();
        for segment in self.image.segments.iter().filter(|s| s.executable()) {
            scan::long_jumps(segment.bytes, segment.vaddr, &near, &mut targets);
        }
        targets.sort_unstable();
        targets
    }

    /// Writes the stubs, then the jumps to them. All or nothing.
    fn install(
        &self,
        segment: &Segment,
        text: Range<usize>,
        patches: &[Patch],
        entries: &Entries,
    ) -> Option<()> {
        if patches.is_empty() {
            return Some(());
        }
        let runtime = |vaddr: u64| self.bias.wrapping_add(vaddr as usize);
        let extent = self.image.extent();
        let object = runtime(extent.start)..runtime(extent.end);
        let mut draft = table::Draft::new(text.clone(), &object, patches.len())?;
        let Some(jumps) = self.write_stubs(&mut draft, segment, patches, entries) else {
            draft.discard();
            return None;
        };
        let stubs = draft.seal()?;

        let pages = pages_of(&jumps);
        let writable = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
        let restore = |pages: &[Range<usize>]| {
            for pages in pages {
                protect(pages, segment.protection());
            }
        };
        if let Some(refused) = pages.iter().position(|pages| !protect(pages, writable)) {
            restore(&pages[..refused]);
            stubs.discard();
            return None;
        }
        stubs.publish(patches.len());
        for (at, bytes) in jumps {
            // SAFETY: inside pages that are writable now; no other thread runs this code, and
            // nothing here is in an object that gets rewritten but libc's memcpy and mprotect,
            // which are whole at every step.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) };
        }
        restore(&pages);
        Some(())
    }

    /// Writes the stubs, and returns what to write at their sites.
    fn write_stubs(
        &self,
        draft: &mut table::Draft,
        segment: &Segment,
        patches: &[Patch],
        entries: &Entries,
    ) -> Option<Vec<(usize, Vec<u8>)>> {
        let runtime = |vaddr: u64| self.bias.wrapping_add(vaddr as usize);
        let core = self.is_kernels || is_core(&self.name);
        let mut head = [0; SLOT];
        head[..8].copy_from_slice(&entries.entry.to_le_bytes());
        head[8..16].copy_from_slice(&entries.entry_full.to_le_bytes());
        head[16..24].copy_from_slice(&entries.exec.to_le_bytes());
        head[24..32].copy_from_slice(&entries.guarded.to_le_bytes());
        head[32..40].copy_from_slice(&entries.guarded_full.to_le_bytes());
        draft.write(0, &head);
        (1..)
            .zip(patches)
            .map(|(index, patch)| {
                let (before, after) = stub::neighbours(segment.bytes, segment.vaddr, patch);
                let full = patch.extended || !core;
                let is_exec = core && is_exec(before);
                let is_guarded = is_guarded(before);
                let word = match (is_exec, is_guarded, full) {
                    (true, ..) => 16,
                    (_, true, false) => 24,
                    (_, true, true) => 32,
                    (_, _, true) => 8,
                    _ => 0,
                };
                let start = runtime(patch.start);
                let slot = draft.slot(index);
                let stub = Stub {
                    slot,
                    before,
                    after,
                    start,
                    next: runtime(patch.next),
                    back: runtime(patch.end),
                    entry: draft.slot(0) + word,
                    takes_all: is_exec || is_guarded,
                    tpoff: entries.slot_tpoff,
                };
                draft.write(index, &stub.emit()?);
                Some((start, stub::jump(start, runtime(patch.kept), slot)?))
            })
            .collect()
    }
}

/// The pages to write at, in order. Those between sites that are close go along: a call for all of
/// them costs less than one for each.
fn pages_of(jumps: &[(usize, Vec<u8>)]) -> Vec<Range<usize>> {
    const CLOSE: usize = 64;
    let page = area::page();
    let mut all: Vec<Range<usize>> = Vec::new();
    for (at, bytes) in jumps {
        let pages = at / page * page..(at + bytes.len()).next_multiple_of(page);
        match all.last_mut() {
            Some(last) if pages.start <= last.end + CLOSE * page => last.end = pages.end,
            _ => all.push(pages),
        }
    }
    all
}

fn protect(pages: &Range<usize>, protection: i32) -> bool {
    let start = pages.start as *mut libc::c_void;
    // SAFETY: the pages are an object's code, which stays readable and executable.
    unsafe { libc::mprotect(start, pages.end - pages.start, protection) == 0 }
}

/// Whether code ends with what comes before the `syscall` of `__restore_rt`, byte for byte:
/// unwinders and debuggers know a signal frame by it.
fn is_signal_return(before: &[u8]) -> bool {
    // mov $__NR_rt_sigreturn, %rax
    before.ends_with(&[0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00])
}

/// The number of the call before which this is, if it is set by the last instruction.
fn number(before: &[u8]) -> Option<i64> {
    match *before {
        // mov $number, %r8d
        [.., 0x41, 0xb8, _, _, _, _] => None,
        // mov $number, %eax
        [.., 0xb8, a, b, c, d] => Some(i64::from(i32::from_le_bytes([a, b, c, d]))),
        // xor %eax, %eax
        [.., 0x31, 0xc0] => Some(0),
        _ => None,
    }
}

/// Whether it is execve(2).
fn is_exec(before: &[u8]) -> bool {
    number(before) == Some(libc::SYS_execve)
}

/// Whether it may be one for which children have a guard.
fn is_guarded(before: &[u8]) -> bool {
    number(before)
        .is_none_or(|number| guard::ANSWERED.contains(&number) || guard::HEARD_OF.contains(&number))
}

/// Whether it is sure to be one whose answer differs without a task, too: all that is rewritten under the trap door.
fn takes_native(before: &[u8]) -> bool {
    number(before)
        .is_some_and(|number| number == libc::SYS_execve || guard::ANSWERED.contains(&number))
}

/// Whether an object is libc or the loader.
fn is_core(name: &str) -> bool {
    let file = Path::new(OsStr::from_bytes(name.as_bytes()))
        .file_name()
        .map(OsStr::as_bytes)
        .unwrap_or_default();
    [&b"libc.so.6"[..], b"libc-2.", b"ld-linux", b"ld-2."]
        .iter()
        .any(|prefix| file.starts_with(prefix))
}

/// The path of an open file.
fn fd_name(fd: i32) -> String {
    std::fs::read_link(format!("/proc/self/fd/{fd}"))
        .map(|path| path.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod numbers {
    use super::*;

    #[test]
    fn of_calls_are_known_by_the_last_instruction() {
        let close = [0xb8, 3, 0, 0, 0];
        assert_eq!(number(&close), Some(libc::SYS_close));
        assert_eq!(
            number(&[&[0x90][..], &close].concat()),
            Some(libc::SYS_close)
        );
        assert_eq!(number(&[0x31, 0xc0]), Some(libc::SYS_read));
        // mov $3, %r8d; mov $3, %eax and then an argument.
        assert_eq!(number(&[&[0x41][..], &close].concat()), None);
        assert_eq!(number(&[&close[..], &[0x89, 0xdf]].concat()), None);
    }

    #[test]
    fn that_may_be_guarded_are() {
        let [close, read, exec] = [3, 0, 0x3b].map(|number| [0xb8, number, 0, 0, 0]);
        assert!(is_guarded(&close) && takes_native(&close));
        assert!(is_guarded(&[]) && !takes_native(&[]));
        assert!(!is_guarded(&read) && !takes_native(&read));
        assert!(!is_guarded(&exec) && takes_native(&exec));
    }
}
