//! What programs started from here get in their environment.
//!
//! A program that starts others with an environment of its own making (`execve`, `posix_spawn`) need not know of this library. What was
//! there when it was loaded, `LD_PRELOAD` and the library's own variables, is added to such an environment where it has no value of its
//! own for them, unless `COOP_CHILDREN` is 0. What the program gives stays as it is.
//!
//! The functions that use `environ` come here, too: a program may have replaced that.
//!
//! All of this may run in a vfork child, on memory that it shares: it allocates nothing, and stores only on its stack.

use crate::hooks;
use coop_runtime::config;
use libc::{c_char, c_int};
use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Copies of the variables, as "name=value" with NULs. The originals are in memory that some programs overwrite (to change their title).
struct Kept(UnsafeCell<[u8; SIZE]>);
// SAFETY: written once, while the process has one thread, and then only read.
unsafe impl Sync for Kept {}

const SIZE: usize = 8192;
static KEPT: Kept = Kept(UnsafeCell::new([0; SIZE]));
static USED: AtomicUsize = AtomicUsize::new(0);

/// The most variables that are kept, and the most that a program's environment may have: with more it stays as it is.
const MOST_KEPT: usize = 32;
const MOST: usize = 2048;

extern "C" {
    static mut environ: *const *const c_char;
}

/// An environment's variables.
///
/// # Safety
/// `environment` is null, or an array of C strings with a null at its end; both outlive the iterator.
unsafe fn variables(environment: *const *const c_char) -> impl Iterator<Item = &'static CStr> {
    let mut at = environment;
    std::iter::from_fn(move || {
        // SAFETY: the caller's promise; it stops at the null.
        unsafe {
            if at.is_null() || (*at).is_null() {
                return None;
            }
            let variable = CStr::from_ptr(*at);
            at = at.add(1);
            Some(variable)
        }
    })
}

/// A variable with its "=".
fn name(variable: &CStr) -> &[u8] {
    let bytes = variable.to_bytes();
    let end = bytes.iter().position(|b| *b == b'=').map_or(0, |i| i + 1);
    &bytes[..end]
}

/// Keeps the environment's variables that are for children. When the library is loaded.
pub fn remember() {
    if !config::get().children {
        return;
    }
    // SAFETY: the process has one thread, so that nobody else uses `environ` or `KEPT`.
    unsafe {
        let kept = &mut *KEPT.0.get();
        let mut used = 0;
        for variable in variables(environ) {
            let bytes = variable.to_bytes_with_nul();
            let wanted = bytes.starts_with(b"LD_PRELOAD=") || bytes.starts_with(b"COOP_");
            if wanted && used + bytes.len() <= SIZE {
                kept[used..used + bytes.len()].copy_from_slice(bytes);
                used += bytes.len();
            }
        }
        USED.store(used, Ordering::Relaxed);
    }
}

/// What [`remember`] kept.
fn kept() -> impl Iterator<Item = &'static CStr> {
    // SAFETY: written before anybody reads.
    let mut rest = unsafe { &(&*KEPT.0.get())[..USED.load(Ordering::Relaxed)] };
    std::iter::from_fn(move || {
        let variable = CStr::from_bytes_until_nul(rest).ok()?;
        rest = &rest[variable.to_bytes_with_nul().len()..];
        Some(variable)
    })
}

/// Which of the kept an environment lacks, and how many these are.
///
/// # Safety
/// `given` is an environment, as execve(2) takes it.
unsafe fn missing_in(given: Strings) -> ([*const c_char; MOST_KEPT], usize) {
    // SAFETY: the caller's promise.
    let has = |wanted: &CStr| unsafe { variables(given).any(|v| name(v) == name(wanted)) };
    let mut missing = [std::ptr::null(); MOST_KEPT];
    let mut count = 0;
    for variable in kept().filter(|v| !has(v)).take(MOST_KEPT) {
        missing[count] = variable.as_ptr();
        count += 1;
    }
    (missing, count)
}

/// Calls `start` with an environment to which what is missing of the kept was added.
///
/// # Safety
/// `given` is an environment, as execve(2) takes it.
unsafe fn with_kept<R>(
    given: *const *const c_char,
    start: impl FnOnce(*const *const c_char) -> R,
) -> R {
    // SAFETY: the caller's promise.
    let (missing, count) = unsafe { missing_in(given) };
    if count == 0 {
        return start(given);
    }
    // SAFETY: the caller's promise.
    let own = unsafe { variables(given).count() };
    match own + count {
        0..128 => joined::<R, 128>(given, own, &missing[..count], start),
        128..MOST => joined::<R, MOST>(given, own, &missing[..count], start),
        _ => start(given),
    }
}

fn joined<R, const N: usize>(
    given: *const *const c_char,
    own: usize,
    missing: &[*const c_char],
    start: impl FnOnce(*const *const c_char) -> R,
) -> R {
    let mut all = [std::ptr::null(); N];
    // SAFETY: the environment has `own` variables, and they and the missing ones fit, with a null behind them.
    unsafe { std::ptr::copy_nonoverlapping(given, all.as_mut_ptr(), own) };
    all[own..own + missing.len()].copy_from_slice(missing);
    start(all.as_ptr())
}

type Strings = *const *const c_char;

/// execve(2).
///
/// # Safety
/// As its own.
pub unsafe fn execve(path: *const c_char, arguments: Strings, environment: Strings) -> c_int {
    // SAFETY: the program's call.
    unsafe { with_kept(environment, |e| (hooks::real_execve())(path, arguments, e)) }
}

/// execv(3).
///
/// # Safety
/// As its own.
pub unsafe fn execv(path: *const c_char, arguments: Strings) -> c_int {
    // SAFETY: the program's call.
    unsafe { execve(path, arguments, environ) }
}

/// execvpe(3).
///
/// # Safety
/// As its own.
pub unsafe fn execvpe(file: *const c_char, arguments: Strings, environment: Strings) -> c_int {
    // SAFETY: the program's call.
    unsafe { with_kept(environment, |e| (hooks::real_execvpe())(file, arguments, e)) }
}

/// execvp(3).
///
/// # Safety
/// As its own.
pub unsafe fn execvp(file: *const c_char, arguments: Strings) -> c_int {
    // SAFETY: the program's call.
    unsafe { execvpe(file, arguments, environ) }
}

/// fexecve(3).
///
/// # Safety
/// As its own.
pub unsafe fn fexecve(fd: c_int, arguments: Strings, environment: Strings) -> c_int {
    // SAFETY: the program's call.
    unsafe { with_kept(environment, |e| (hooks::real_fexecve())(fd, arguments, e)) }
}

/// posix_spawn(3) and the like: `start` makes the call with an environment.
///
/// # Safety
/// `environment` is one, as execve(2) takes it.
pub unsafe fn start<R>(environment: Strings, start: impl FnOnce(Strings) -> R) -> R {
    // SAFETY: the caller's promise.
    unsafe { with_kept(environment, start) }
}

/// What `environ` is exchanged for.
struct Joined(UnsafeCell<[*const c_char; MOST]>);
// SAFETY: used while the process has one thread; a signal handler that exchanges `environ` while it is exchanged finds nothing missing.
unsafe impl Sync for Joined {}
static JOINED: Joined = Joined(UnsafeCell::new([std::ptr::null(); MOST]));

/// Exchanges `environ` for one to which what is missing was added. Gives what it was; null if it stays.
///
/// # Safety
/// Nobody else uses `environ`.
pub unsafe fn exchange() -> Strings {
    // SAFETY: the caller's promise; what is written fits, with a null behind it.
    unsafe {
        let given = environ;
        let (missing, count) = missing_in(given);
        let own = variables(given).count();
        if given.is_null() || count == 0 || own + count >= MOST {
            return std::ptr::null();
        }
        let joined = JOINED.0.get().cast::<*const c_char>();
        std::ptr::copy_nonoverlapping(given, joined, own);
        std::ptr::copy_nonoverlapping(missing.as_ptr(), joined.add(own), count);
        joined.add(own + count).write(std::ptr::null());
        environ = joined;
        given
    }
}

/// Puts back what [`exchange`] gave, unless somebody has set it since.
///
/// # Safety
/// As for `exchange`.
pub unsafe fn put_back(given: Strings) {
    // SAFETY: the caller's promise.
    unsafe {
        if std::ptr::eq(environ, JOINED.0.get().cast::<*const c_char>()) {
            environ = given;
        }
    }
}

/// Whether the program's name is one that `COOP_ONLY` and `COOP_SKIP` let have threads as tasks. Its names are that of its file (or
/// script), and what it was called.
pub fn is_wanted() -> bool {
    extern "C" {
        static program_invocation_short_name: *const c_char;
    }
    let config = config::get();
    // SAFETY: C strings that the kernel and libc set up before any constructor runs.
    let names = unsafe {
        let file = libc::getauxval(libc::AT_EXECFN) as *const c_char;
        [file, program_invocation_short_name].map(|name| {
            if name.is_null() {
                return &[][..];
            }
            let name = CStr::from_ptr(name).to_bytes();
            name.rsplit(|b| *b == b'/').next().unwrap_or(name)
        })
    };
    let lists = |list: &str| {
        list.split(',')
            .any(|n| names.contains(&n.trim().as_bytes()))
    };
    config.only.is_none_or(lists) && !config.skip.is_some_and(lists)
}
