//! The ways to start a program that redhook cannot hook: functions with a variable number of arguments, and those that are cancellation
//! points, through whose frame a cancelled thread is unwound. And libc's own execve, for what libc starts by itself.
//!
//! - `execl`, `execlp` and `execle` hand their arguments on as an array, which is made in place: the five that came in registers are put
//!   below those on the stack. The slot between is that of the return address, which waits elsewhere.
//! - `system`, `popen` and `wordexp` start a shell with `environ`. While the process has one thread, that is exchanged for the time of
//!   the call if something is missing in it. (A thread that is cancelled there leaves the process's only thread to end.)
//! - Later there are others who use `environ`. But by then libc's code is rewritten: the stub of its execve leads to [`coop_exec`],
//!   which hands a task's call to the crossing, and makes that of a child, which has no task, with what is missing added. That is so under the
//!   trap door, too, which has only this site rewritten and those of the [guard](crate::guarded).

use crate::{children, convert, crossing};
use libc::{c_char, c_int};
use std::arch::naked_asm;
use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

type Strings = *const *const c_char;

/// Hands the arguments from the second one on as an array to a function of (first argument, array).
macro_rules! variadic {
    ($to:ident) => {
        naked_asm!(
            "mov rax, [rsp]",
            "mov [rsp], r9",
            "push r8",
            "push rcx",
            "push rdx",
            "push rsi",
            "mov rsi, rsp",
            "push rax",
            "call {to}",
            "pop rdx",
            "add rsp, 32",
            "mov [rsp], rdx",
            "ret",
            to = sym $to,
        )
    };
}

/// execl(3).
///
/// # Safety
/// As its own.
#[no_mangle]
#[unsafe(naked)]
pub unsafe extern "C" fn execl() {
    variadic!(list)
}

/// execlp(3).
///
/// # Safety
/// As its own.
#[no_mangle]
#[unsafe(naked)]
pub unsafe extern "C" fn execlp() {
    variadic!(list_by_name)
}

/// execle(3).
///
/// # Safety
/// As its own.
#[no_mangle]
#[unsafe(naked)]
pub unsafe extern "C" fn execle() {
    variadic!(list_and_environment)
}

unsafe extern "C" fn list(path: *const c_char, arguments: Strings) -> c_int {
    // SAFETY: the program's call.
    unsafe { children::execv(path, arguments) }
}

unsafe extern "C" fn list_by_name(file: *const c_char, arguments: Strings) -> c_int {
    // SAFETY: the program's call.
    unsafe { children::execvp(file, arguments) }
}

unsafe extern "C" fn list_and_environment(path: *const c_char, arguments: Strings) -> c_int {
    // SAFETY: the program's call: behind the null that ends the arguments is the environment.
    unsafe {
        let mut end = arguments;
        while !(*end).is_null() {
            end = end.add(1);
        }
        children::execve(path, arguments, *end.add(1) as Strings)
    }
}

/// Calls libc's function, at `$real`, with up to three arguments, and with an exchanged `environ` if `begin` says so.
macro_rules! with_environ {
    ($begin:ident, $real:ident) => {
        naked_asm!(
            ".cfi_startproc",
            "push rdi",
            ".cfi_adjust_cfa_offset 8",
            "push rsi",
            ".cfi_adjust_cfa_offset 8",
            "push rdx",
            ".cfi_adjust_cfa_offset 8",
            "call {begin}",
            "pop rdx",
            ".cfi_adjust_cfa_offset -8",
            "pop rsi",
            ".cfi_adjust_cfa_offset -8",
            "pop rdi",
            ".cfi_adjust_cfa_offset -8",
            "test rax, rax",
            "jz 2f",
            "push rax",
            ".cfi_adjust_cfa_offset 8",
            "call qword ptr [rip + {real}]",
            "mov rdi, [rsp]",
            "mov [rsp], rax",
            "call {end}",
            "pop rax",
            ".cfi_adjust_cfa_offset -8",
            "ret",
            "2:",
            "jmp qword ptr [rip + {real}]",
            ".cfi_endproc",
            begin = sym $begin,
            real = sym $real,
            end = sym end,
        )
    };
}

static SYSTEM: AtomicUsize = AtomicUsize::new(0);
static POPEN: AtomicUsize = AtomicUsize::new(0);
static WORDEXP: AtomicUsize = AtomicUsize::new(0);
/// libc's `__libc_single_threaded`, if it has that (2.32).
static SINGLE_THREADED: AtomicUsize = AtomicUsize::new(0);

/// system(3).
///
/// # Safety
/// As its own.
#[no_mangle]
#[unsafe(naked)]
pub unsafe extern "C" fn system() {
    with_environ!(begin_system, SYSTEM)
}

/// popen(3).
///
/// # Safety
/// As its own.
#[no_mangle]
#[unsafe(naked)]
pub unsafe extern "C" fn popen() {
    with_environ!(begin_popen, POPEN)
}

/// wordexp(3).
///
/// # Safety
/// As its own.
#[no_mangle]
#[unsafe(naked)]
pub unsafe extern "C" fn wordexp() {
    with_environ!(begin_wordexp, WORDEXP)
}

extern "C" fn begin_system() -> Strings {
    begin(&SYSTEM, c"system")
}

extern "C" fn begin_popen() -> Strings {
    begin(&POPEN, c"popen")
}

extern "C" fn begin_wordexp() -> Strings {
    begin(&WORDEXP, c"wordexp")
}

/// Sees to it that libc's function is known. Gives the program's `environ` if it was exchanged for another.
fn begin(real: &AtomicUsize, name: &CStr) -> Strings {
    if real.load(Ordering::Relaxed) == 0 {
        find(real, name);
    }
    if !has_one_thread() {
        return std::ptr::null();
    }
    // SAFETY: nobody else uses `environ`.
    unsafe { children::exchange() }
}

/// Whether the process is known to have one thread.
fn has_one_thread() -> bool {
    let word = SINGLE_THREADED.load(Ordering::Relaxed) as *const u8;
    // SAFETY: null, or a byte of libc's that is not 0 while there is one thread.
    let says_libc = || !word.is_null() && unsafe { word.read_volatile() } != 0;
    convert::is_dormant() || convert::is_off() && says_libc()
}

extern "C" fn end(environ: Strings) {
    // SAFETY: as above; it is what `begin` gave.
    unsafe { children::put_back(environ) };
}

fn find(real: &AtomicUsize, name: &CStr) {
    // SAFETY: looks a symbol of libc's up.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    real.store(found as usize, Ordering::Relaxed);
}

/// Looks libc's functions up, so that none is looked up in the middle of a call.
pub fn resolve() {
    find(&SYSTEM, c"system");
    find(&POPEN, c"popen");
    find(&WORDEXP, c"wordexp");
    find(&SINGLE_THREADED, c"__libc_single_threaded");
}

/// Where the stub of libc's execve leads: the current task is in rcx, and where to come back to in r11. Without a task the call is made here. As
/// in a system call all registers stay but rax, rcx and r11; the caller is libc's function, so none beyond the general ones counts.
///
/// # Safety
/// Jumped to by a stub.
#[unsafe(naked)]
pub unsafe extern "C" fn coop_exec() {
    naked_asm!(
        "jrcxz 2f",
        "jmp {entry}",
        "2:",
        "lea rsp, [rsp - 128]",
        "push r11",
        "push rbp",
        "mov rbp, rsp",
        "push rdi",
        "push rsi",
        "push rdx",
        "push r10",
        "push r8",
        "push r9",
        "and rsp, -16",
        "call {exec}",
        "lea rsp, [rbp - 48]",
        "pop r9",
        "pop r8",
        "pop r10",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "pop rbp",
        "pop r11",
        "lea rsp, [rsp + 128]",
        "jmp r11",
        entry = sym crossing::coop_entry,
        exec = sym exec,
    )
}

unsafe extern "C" fn exec(path: usize, arguments: usize, environment: Strings) -> isize {
    let call = |environment: Strings| {
        let args = [path, arguments, environment as usize, 0, 0, 0];
        // SAFETY: execve(2) as libc makes it, of whose environment the strings are.
        unsafe { coop_runtime::sys::syscall_raw(libc::SYS_execve as usize, args) }
    };
    // SAFETY: libc's environment is the program's, or null; what cannot be read would have failed in libc before.
    unsafe { children::start(environment, call) }
}
