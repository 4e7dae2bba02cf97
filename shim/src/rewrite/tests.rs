//! The door as a whole: code is rewritten and run.

use std::arch::global_asm;
use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::Mutex;

use super::*;
use crate::image::FileBytes;

// An entry that counts its calls and then has the kernel answer them. It changes no flag.
global_asm!(
    ".local rewrite_test_calls, rewrite_test_full_calls",
    ".comm rewrite_test_calls, 8, 8",
    ".comm rewrite_test_full_calls, 8, 8",
    ".globl rewrite_test_entry, rewrite_test_entry_full, rewrite_test_count",
    ".globl rewrite_test_guarded, rewrite_test_guarded_full",
    "rewrite_test_entry_full:",
    "    mov rewrite_test_full_calls(%rip), %rcx",
    "    lea 1(%rcx), %rcx",
    "    mov %rcx, rewrite_test_full_calls(%rip)",
    "rewrite_test_entry:",
    "    mov rewrite_test_calls(%rip), %rcx",
    "    lea 1(%rcx), %rcx",
    "    mov %rcx, rewrite_test_calls(%rip)",
    "2:",
    "    lea -2(%r11), %rcx",
    "    jmp *%rcx",
    // Those of calls that come without a task, too.
    "rewrite_test_guarded_full:",
    "    jrcxz 2b",
    "    jmp rewrite_test_entry_full",
    "rewrite_test_guarded:",
    "    jrcxz 2b",
    "    jmp rewrite_test_entry",
    // The calls of both entries, and those of the full one.
    "rewrite_test_count:",
    "    mov rewrite_test_calls(%rip), %rax",
    "    mov rewrite_test_full_calls(%rip), %rdx",
    "    ret",
    options(att_syntax)
);

extern "C" {
    fn rewrite_test_entry();
    fn rewrite_test_entry_full();
    fn rewrite_test_guarded();
    fn rewrite_test_guarded_full();
    fn rewrite_test_count() -> Counts;
}

#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    all: u64,
    full: u64,
}

/// The counters are one for all tests.
static COUNTING: Mutex<()> = Mutex::new(());

thread_local! {
    static TASK: Cell<u64> = const { Cell::new(0) };
}

/// The entries of this thread: the offset of its slot is the same in all threads of an executable.
fn entries() -> Entries {
    let fs: usize;
    // SAFETY: the first word of the thread control block is its own address.
    unsafe { std::arch::asm!("mov {}, fs:[0]", out(reg) fs, options(nostack, readonly)) };
    let slot = TASK.with(|task| task.as_ptr() as isize);
    Entries {
        slot_tpoff: i32::try_from(slot - fs as isize).expect("static TLS"),
        entry: rewrite_test_entry as *const () as usize,
        entry_full: rewrite_test_entry_full as *const () as usize,
        exec: rewrite_test_guarded as *const () as usize,
        guarded: rewrite_test_guarded as *const () as usize,
        guarded_full: rewrite_test_guarded_full as *const () as usize,
        own_address: entries as *const () as usize,
    }
}

/// How many calls went through an entry while `run` ran as a task.
fn calls_of<T>(run: impl FnOnce() -> T) -> (T, Counts) {
    // SAFETY: reads two counters.
    let before = unsafe { rewrite_test_count() };
    TASK.set(1);
    let value = run();
    TASK.set(0);
    // SAFETY: as above.
    let after = unsafe { rewrite_test_count() };
    let counts = Counts {
        all: after.all - before.all,
        full: after.full - before.full,
    };
    (value, counts)
}

const CODE: usize = 0x1000;

/// An object file whose only segment has all of it: headers, unwind tables, and at CODE the
/// functions.
fn object(functions: &[&[u8]]) -> (Vec<u8>, Vec<usize>) {
    const HDR: usize = 0x200;
    let mut file = vec![0u8; CODE];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    let mut starts = Vec::new();
    let mut code = Vec::new();
    let frames = HDR + 12 + functions.len() * 8;
    put(HDR, &[1, 0x1b, 0x03, 0x3b]);
    put(HDR + 8, &(functions.len() as u32).to_le_bytes());
    for (index, function) in functions.iter().enumerate() {
        let start = CODE + code.len();
        let fde = frames + index * 16;
        let relative = |from: usize, to: usize| (to as i32 - from as i32).to_le_bytes();
        put(HDR + 12 + index * 8, &relative(HDR, start));
        put(HDR + 16 + index * 8, &relative(HDR, fde));
        put(fde, &12u32.to_le_bytes());
        put(fde + 8, &relative(fde + 8, start));
        put(fde + 12, &(function.len() as u32).to_le_bytes());
        starts.push(start);
        code.extend_from_slice(function);
        code.resize(code.len().next_multiple_of(16), 0x90);
    }
    let size = (CODE + code.len()) as u64;
    let header = |kind: u32, flags: u32, at: u64, size: u64| {
        let mut header = Vec::new();
        header.extend(kind.to_le_bytes());
        header.extend(flags.to_le_bytes());
        for value in [at, at, at, size, size, 0x1000] {
            header.extend(value.to_le_bytes());
        }
        header
    };
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &[3, 0, 62, 0, 1]);
    put(32, &64u64.to_le_bytes());
    put(52, &[64, 0, 56, 0, 2, 0]);
    put(64, &header(libc::PT_LOAD, libc::PF_R | libc::PF_X, 0, size));
    put(
        120,
        &header(libc::PT_GNU_EH_FRAME, libc::PF_R, HDR as u64, 0x100),
    );
    file.extend(code);
    (file, starts)
}

/// An object file, mapped as the loader maps it.
struct Mapped {
    file: File,
    at: usize,
    len: usize,
}

impl Mapped {
    fn new(bytes: &[u8]) -> Mapped {
        // SAFETY: a plain system call with a C string.
        let fd = unsafe { libc::memfd_create(c"object".as_ptr(), libc::MFD_CLOEXEC) };
        assert!(fd >= 0);
        // SAFETY: the fd is new and nobody else's.
        let mut file = unsafe { File::from_raw_fd(fd) };
        file.write_all(bytes).expect("a file in memory");
        let len = bytes.len().next_multiple_of(area::page());
        let protection = libc::PROT_READ | libc::PROT_EXEC;
        // SAFETY: a new mapping, which replaces none.
        let at = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                protection,
                libc::MAP_PRIVATE,
                fd,
                0,
            )
        };
        assert_ne!(at, libc::MAP_FAILED);
        Mapped {
            file,
            at: at as usize,
            len,
        }
    }

    fn rewrite(&self) -> Report {
        self.rewrite_from(0)
    }

    fn rewrite_from(&self, offset: u64) -> Report {
        let fd = self.file.as_raw_fd();
        let file = FileBytes::map(fd);
        let image = file.as_ref().and_then(|file| Image::file(file.bytes()));
        rewrite_mapping(&entries(), fd, image, self.at, self.len, offset)
    }

    fn call(&self, start: usize) -> u64 {
        // SAFETY: the tests' functions take nothing and follow the C calling convention.
        let function: extern "C" fn() -> u64 = unsafe { std::mem::transmute(self.at + start) };
        function()
    }

    fn byte(&self, at: usize) -> u8 {
        // SAFETY: the mapping is readable, and `at` is in it.
        unsafe { *((self.at + at) as *const u8) }
    }

    fn protection(&self) -> String {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("maps");
        let line = maps
            .lines()
            .find(|l| l.starts_with(&format!("{:x}-", self.at)));
        line.and_then(|l| l.split(' ').nth(1))
            .unwrap_or_default()
            .to_owned()
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        forget(self.at, self.len);
        // SAFETY: this test's own mapping.
        unsafe { libc::munmap(self.at as *mut libc::c_void, self.len) };
    }
}

/// mov $__NR_getppid, %eax; syscall; ret
const PLAIN: &[u8] = &[0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3];
/// stc; mov $__NR_getppid, %eax; syscall; setc %al; movzbl %al, %eax; ret
const CARRY: &[u8] = &[
    0xf9, 0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x92, 0xc0, 0x0f, 0xb6, 0xc0, 0xc3,
];
/// mov 4(%rip), %eax; syscall; ret; mov $__NR_getppid, %eax, whose last bytes are what the first
/// loads
const LOADED: &[u8] = &[0x8b, 0x05, 4, 0, 0, 0, 0x0f, 0x05, 0xc3, 0xb8, 110, 0, 0, 0];
/// mov $__NR_getppid, %eax; jmp 1f; 1: syscall; add $0x1000000, %rax; ret
const AFTER: &[u8] = &[
    0xb8, 110, 0, 0, 0, 0xeb, 0, 0x0f, 0x05, 0x48, 0x05, 0, 0, 0, 1, 0xc3,
];
/// mov $__NR_getppid, %eax; jmp 1f; 1: syscall; ret
const TOO_TIGHT: &[u8] = &[0xb8, 110, 0, 0, 0, 0xeb, 0, 0x0f, 0x05, 0xc3];
/// mov $__NR_rt_sigreturn, %rax; syscall
const RESTORER: &[u8] = &[0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05];

#[test]
fn rewritten_code_runs_as_before() {
    let _one = COUNTING.lock();
    let functions = [PLAIN, CARRY, LOADED, AFTER, TOO_TIGHT, RESTORER];
    let (file, at) = object(&functions);
    let object = Mapped::new(&file);
    let parent = std::os::unix::process::parent_id().into();
    let run = || [0, 1, 2, 3, 4].map(|index| object.call(at[index]));
    let expected = [parent, 1, parent, parent + 0x100_0000, parent];
    assert_eq!(run(), expected, "as it was");

    let report = object.rewrite();
    assert_eq!((report.rewritten, report.trapped, report.left), (4, 1, 1));
    assert_eq!((report.false_candidates, report.objects), (0, 1));
    assert_eq!(object.protection(), "r-xp");

    let (_, none) = calls_of(|| ());
    assert_eq!(none, Counts { all: 0, full: 0 });
    assert_eq!(run(), expected, "without a task");
    let (values, calls) = calls_of(run);
    assert_eq!(values, expected, "in a task");
    assert_eq!(calls, Counts { all: 4, full: 4 });

    // What was not touched, and what was.
    assert_eq!(object.byte(at[4] + 7), 0x0f);
    assert_eq!(object.byte(at[5]), 0x48);
    assert_eq!(object.byte(at[0]), 0xe9);
    assert_eq!(object.byte(at[0] + 5), 0x0f, "the syscall stays in place");
}

#[test]
fn addresses_lead_from_sites_to_stubs_and_back() {
    let (file, at) = object(&[PLAIN, AFTER, TOO_TIGHT]);
    let object = Mapped::new(&file);
    let nexts = [at[0] + 7, at[1] + 9, at[2] + 9].map(|next| object.at + next);
    assert_eq!(nexts.map(continuation), [None; 3]);
    object.rewrite();
    for next in &nexts[..2] {
        let after = continuation(*next).expect("a stub");
        assert!(in_stubs(after));
        assert_eq!(original(after), Some(*next));
        assert_eq!(original(after - 1), None);
        assert_eq!(original(after + 1), None);
        assert_eq!(continuation(*next + 1), None);
        // SAFETY: two bytes of a stub.
        assert_eq!(unsafe { *((after - 2) as *const [u8; 2]) }, [0x0f, 0x05]);
    }
    assert_eq!(continuation(nexts[2]), None, "not rewritten");
    assert!(!in_stubs(nexts[0]));
    assert_eq!(original(nexts[0]), None);

    let after = continuation(nexts[0]).expect("a stub");
    forget(object.at, object.len / 2);
    assert_eq!(
        original(after),
        Some(nexts[0]),
        "only part of it was unmapped"
    );
    forget(object.at, object.len);
    assert_eq!(original(after), None);
    assert_eq!(continuation(nexts[0]), None);
    assert!(!in_stubs(after));
}

#[test]
fn code_mapped_where_other_code_was_is_rewritten_anew() {
    let _one = COUNTING.lock();
    let (file, at) = object(&[PLAIN]);
    let object = Mapped::new(&file);
    let first = object.rewrite();
    let stub = continuation(object.at + at[0] + 7);
    // SAFETY: replaces this test's own mapping.
    let again = unsafe {
        libc::mmap(
            object.at as *mut libc::c_void,
            object.len,
            libc::PROT_READ | libc::PROT_EXEC,
            libc::MAP_PRIVATE | libc::MAP_FIXED,
            object.file.as_raw_fd(),
            0,
        )
    };
    assert_eq!(again as usize, object.at);
    assert_eq!(object.byte(at[0]), 0xb8, "as in the file");
    assert_eq!(object.rewrite(), first);
    assert!(stub.is_some() && continuation(object.at + at[0] + 7).is_some());
    let (parent, calls) = calls_of(|| object.call(at[0]));
    assert_eq!(parent, std::os::unix::process::parent_id().into());
    assert_eq!(calls.all, 1);
}

#[test]
fn files_that_are_no_objects_stay() {
    let mapped = Mapped::new(&[PLAIN, &[0; 100]].concat());
    assert_eq!(mapped.rewrite(), Report::default());
    // An object, but not the part of it that has the code.
    let (file, _) = object(&[PLAIN]);
    let mapped = Mapped::new(&file);
    let report = mapped.rewrite_from(0x1000);
    assert_eq!(report, Report::default());
    // Cut short in every way: no panic, and nothing found that is not there.
    for len in (0..CODE).step_by(7) {
        let cut = Mapped::new(&[&file[..len], &[0]].concat());
        assert_eq!(cut.rewrite().rewritten, 0);
    }
}

#[test]
fn functions_are_found_in_loaded_objects() {
    let objects = loaded();
    let libc = objects
        .iter()
        .find(|object| is_core(&object.name))
        .expect("libc");
    for function in [
        libc::getppid as *const () as usize,
        libc::read as *const () as usize,
    ] {
        let vaddr = (function - libc.bias) as u64;
        let functions = libc.image.functions().expect("a table");
        let found = functions.at_or_before(vaddr + 3).expect("a function");
        assert_eq!(found.start, vaddr);
        assert!(found.end > vaddr && found.next.is_some_and(|next| next >= found.end));
    }
}

/// The counts of verdicts on an object's candidates, judged without sifting: rewritten, trapped.
fn judged_unsifted(image: &Image) -> (usize, usize) {
    let functions = image.functions();
    let function = |at| functions.as_ref()?.at_or_before(at);
    let mut counts = (0, 0);
    for segment in image.segments.iter().filter(|s| s.executable()) {
        let offsets = scan::candidates(segment.bytes);
        let sites: Vec<u64> = offsets
            .iter()
            .map(|&at| segment.vaddr + at as u64)
            .collect();
        let targets = || {
            let near = scan::Near::new(&sites);
            let mut targets = Vec::new();
            scan::long_jumps(segment.bytes, segment.vaddr, &near, &mut targets);
            targets.sort_unstable();
            targets
        };
        let around = Surroundings {
            code: segment.bytes,
            vaddr: segment.vaddr,
            targets: OnceCell::new(),
            long_jumps: &targets,
            extent: image.extent(),
            word: &|at| image.word(at),
            function: &function,
        };
        for group in sites.chunk_by(|&a, &b| function(a) == function(b)) {
            let verdicts = match function(group[0]) {
                Some(function) => plan::plan(&around, function, group),
                None => group.iter().map(|&at| sift::stray(&around, at)).collect(),
            };
            for verdict in verdicts {
                counts.0 += usize::from(matches!(verdict, Verdict::Rewrite(_)));
                counts.1 += usize::from(verdict == Verdict::Trap);
            }
        }
    }
    counts
}

#[test]
fn sifting_loses_nothing() {
    let objects = loaded();
    let mut sifted_out = 0;
    for object in &objects {
        let mut report = Report::default();
        let mut counts = (0, 0);
        for segment in object.image.segments.iter().filter(|s| s.executable()) {
            for (_, verdict) in object.judge(segment, &mut report) {
                counts.0 += usize::from(matches!(verdict, Verdict::Rewrite(_)));
                counts.1 += usize::from(verdict == Verdict::Trap);
            }
        }
        assert_eq!(counts, judged_unsifted(&object.image), "{}", object.name);
        sifted_out += report.false_candidates;
    }
    assert!(sifted_out > 0);
}

/// Runs in a child, which has one thread.
#[test]
fn all_loaded_objects_are_rewritten() {
    // SAFETY: the child runs code that takes no lock another thread could have held: glibc's own
    // are made anew.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let ok = std::panic::catch_unwind(|| {
            let mut names = Vec::new();
            let report = rewrite_loaded(&entries(), Sites::All, |object| {
                names.push((object.name.clone(), object.report));
            });
            assert!(names
                .iter()
                .any(|(name, r)| is_core(name) && r.rewritten > 300));
            // All but this one.
            assert_eq!(report.objects, names.len() - 1);
            let again = rewrite_loaded(&entries(), Sites::All, |_| ());
            assert_eq!((again.rewritten, again.trapped), (0, report.trapped));

            // SAFETY: getppid has no preconditions.
            let parents = || [(); 100].map(|()| unsafe { libc::getppid() });
            let (values, calls) = calls_of(parents);
            assert_eq!(values, parents());
            assert_eq!(calls, Counts { all: 100, full: 0 });

            // The vDSO's own calls, where the kernel lets it be written; the clocks that it knows make none.
            let written = names
                .iter()
                .any(|(name, r)| name.contains("vdso") && r.rewritten > 0);
            let read = |clock| {
                let mut time = libc::timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                };
                // SAFETY: the timespec is our own.
                unsafe { libc::clock_gettime(clock, &mut time) }
            };
            let clocks = [libc::CLOCK_MONOTONIC, libc::CLOCK_THREAD_CPUTIME_ID];
            let (values, calls) = calls_of(|| clocks.map(read));
            assert_eq!(values, [0, 0]);
            assert_eq!((calls.all >= 1, calls.full), (written, 0));
        });
        // SAFETY: ends the child without the parent's exit handlers.
        unsafe { libc::_exit(ok.is_err().into()) };
    }
    let mut status = -1;
    // SAFETY: the status is our own.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0);
}
