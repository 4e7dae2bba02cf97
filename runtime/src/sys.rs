//! Raw system calls and their errors.
//!
//! Every call the runtime makes on a program's behalf goes through [`syscall`]: an instruction of libcoop's
//! own text, which no door ever rewrites or traps. libc's wrappers are used only where libc itself must know
//! (threads), never on the call path: they would set the hub's `errno` and hide the kernel's answer.

pub use crate::user::{read as read_user, write as write_user};
use std::fmt;

/// A Linux error number, the only error on the call path.
///
/// The values above 511 never reach a program: they are the kernel's own restart codes (`include/linux/errno.h`),
/// and [`crate::signal`] turns them into a restart or `EINTR` before the task goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

/// What a system call gives: a non-negative value or an error.
pub type SysResult = Result<usize, Errno>;

impl Errno {
    /// Operation not permitted.
    pub const PERM: Self = Self(libc::EPERM);
    /// No such process or thread.
    pub const SRCH: Self = Self(libc::ESRCH);
    /// Interrupted by a signal handler.
    pub const INTR: Self = Self(libc::EINTR);
    /// Not an open descriptor.
    pub const BADF: Self = Self(libc::EBADF);
    /// No child to wait for.
    pub const CHILD: Self = Self(libc::ECHILD);
    /// Would block.
    pub const AGAIN: Self = Self(libc::EAGAIN);
    /// Out of memory.
    pub const NOMEM: Self = Self(libc::ENOMEM);
    /// A bad address.
    pub const FAULT: Self = Self(libc::EFAULT);
    /// An invalid argument.
    pub const INVAL: Self = Self(libc::EINVAL);
    /// Broken pipe.
    pub const PIPE: Self = Self(libc::EPIPE);
    /// Not a socket.
    pub const NOTSOCK: Self = Self(libc::ENOTSOCK);
    /// Not supported here (as `RWF_NOWAIT` on files that do not know it).
    pub const OPNOTSUPP: Self = Self(libc::EOPNOTSUPP);
    /// Connection in progress.
    pub const INPROGRESS: Self = Self(libc::EINPROGRESS);
    /// Taken back.
    pub const CANCELED: Self = Self(libc::ECANCELED);
    /// The deadline passed.
    pub const TIMEDOUT: Self = Self(libc::ETIMEDOUT);
    /// The call is to be made on an OS thread of the task's own, which has been made. Only a hub may see it.
    pub const APART: Self = Self(510);
    /// The call is to be made as it is, in line: the answer of a handler that has nothing to add. Only a hub may see it.
    pub const IN_LINE: Self = Self(511);
    /// Restart if the handler has `SA_RESTART`, else `EINTR`.
    pub const RESTART_SYS: Self = Self(512);
    /// Restart after any handler: no signal ends the call (`FUTEX_LOCK_PI`).
    pub const RESTART_NOINTR: Self = Self(513);
    /// `EINTR` whenever a handler ran (poll, select, sleeps, sigsuspend).
    pub const RESTART_NOHAND: Self = Self(514);

    /// True for the codes that only [`crate::signal`] may see.
    pub fn is_restart(self) -> bool {
        self.0 >= 512
    }

    /// One of these: the program's filter has trapped the call (`SECCOMP_RET_TRAP`), with these 16 bits: see [`crate::signal::fault`].
    pub(crate) fn trapped(self) -> Option<u16> {
        u16::try_from(self.0 - TRAPPED).ok()
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "errno {}", self.0)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

/// The first of the codes of trapped calls.
const TRAPPED: i32 = 0x1_0000;

/// What stands for the result of a call that a filter has trapped, with the filter's 16 bits: no call gives it.
pub(crate) fn trapped_with(data: u16) -> u64 {
    isize::MIN as u64 | u64::from(data)
}

/// Turns the kernel's `-errno` convention into a [`SysResult`].
#[inline]
#[allow(clippy::cast_possible_truncation)]
pub fn check(ret: isize) -> SysResult {
    if (-4095..0).contains(&ret) {
        Err(Errno(-ret as i32))
    } else if ret <= isize::MIN | 0xffff {
        Err(Errno(TRAPPED | ret as u16 as i32))
    } else {
        Ok(ret as usize)
    }
}

/// Turns a [`SysResult`] into the value a program finds in `rax`.
#[inline]
pub fn encode(result: SysResult) -> u64 {
    match result {
        Ok(value) => value as u64,
        Err(Errno(e)) => i64::from(-e) as u64,
    }
}

/// Makes a system call and gives the raw `rax`.
///
/// # Safety
/// As the call's own: pointers must be valid for what the kernel does with them, and the call must not break what
/// the process relies on.
#[inline(always)]
pub unsafe fn syscall_raw(nr: usize, a: [usize; 6]) -> isize {
    let ret: isize;
    // SAFETY: the kernel's calling convention: rcx and r11 are clobbered, everything else is kept.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") nr => ret,
            in("rdi") a[0], in("rsi") a[1], in("rdx") a[2],
            in("r10") a[3], in("r8") a[4], in("r9") a[5],
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    ret
}

std::arch::global_asm!(
    r#"
    .text
    .globl coop_interruptible
    .hidden coop_interruptible
    .type coop_interruptible,@function
coop_interruptible:
    .cfi_startproc
    mov %rdi, %rax
    mov (%rsi), %rdi
    mov 16(%rsi), %rdx
    mov 24(%rsi), %r10
    mov 32(%rsi), %r8
    mov 40(%rsi), %r9
    mov 8(%rsi), %rsi
    // The instruction leaves its own end here: so a signal's handler can tell whether the kernel has been in the call.
    xor %ecx, %ecx
    .globl coop_interruptible_call
    .hidden coop_interruptible_call
coop_interruptible_call:
    syscall
    ret
    .cfi_endproc
    .size coop_interruptible,.-coop_interruptible
"#,
    options(att_syntax)
);

extern "C" {
    fn coop_interruptible(number: usize, args: &[usize; 6]) -> isize;
    fn coop_interruptible_call();
}

/// Makes a system call that the signal [`KICK`](crate::signal::KICK) ends with `EINTR` where any signal would. (It restarts all other calls that may
/// be restarted, so that those of code behind the doors' back do not see it.)
///
/// # Safety
/// As [`syscall_raw`].
pub(crate) unsafe fn interruptible(number: usize, args: [usize; 6]) -> SysResult {
    // SAFETY: the caller's promise.
    match unsafe { interruptible_told(number, args) } {
        Err(Errno::RESTART_SYS) => Err(Errno::INTR),
        result => result,
    }
}

/// As [`interruptible`], and `RESTART_SYS` where it was the signal that ended the call, and the kernel would have made it again.
///
/// # Safety
/// As [`syscall_raw`].
pub(crate) unsafe fn interruptible_told(number: usize, args: [usize; 6]) -> SysResult {
    // SAFETY: the caller's promise; the function keeps to the C calling convention.
    check(unsafe { coop_interruptible(number, &args) })
}

/// Makes a call that does not wait until no [`KICK`](crate::signal::KICK) ends it: poll(2) and select(2) look for signals even then (`do_poll` and
/// `do_select`, fs/select.c), and are not made again after a handler.
pub(crate) fn despite_kicks(mut call: impl FnMut() -> SysResult) -> SysResult {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

/// For the handler of the signal: whether what it struck is a call of [`interruptible`] that the kernel is about to restart.
pub(crate) fn is_interruptible(rip: u64, rcx: u64) -> bool {
    rip == coop_interruptible_call as *const () as u64 && rcx == rip + 2
}

/// What a register of a system call can hold.
pub trait Argument {
    /// The register's value; signed numbers are sign-extended, as the kernel takes them.
    fn to_register(self) -> usize;
}

macro_rules! argument {
    ($($t:ty),*) => { $( impl Argument for $t {
        #[inline]
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        fn to_register(self) -> usize { self as usize }
    } )* };
}
argument!(i32, u32, i64, u64, isize, usize);

impl<T> Argument for &T {
    fn to_register(self) -> usize {
        std::ptr::from_ref(self) as usize
    }
}
impl<T> Argument for &mut T {
    fn to_register(self) -> usize {
        std::ptr::from_mut(self) as usize
    }
}
impl<T> Argument for *const T {
    fn to_register(self) -> usize {
        self as usize
    }
}
impl<T> Argument for *mut T {
    fn to_register(self) -> usize {
        self as usize
    }
}

/// Makes a system call: `sys!(SYS_read, fd, buf, len)` gives a [`SysResult`]. Needs `unsafe`, as the call does.
#[macro_export]
macro_rules! sys {
    // One expression, so that temporaries in the arguments (`&bit(signal)`) live until the call is over.
    ($nr:ident $(, $arg:expr)* $(,)?) => {
        $crate::sys::check($crate::sys::syscall_raw(
            libc::$nr as usize,
            $crate::sys::arguments([$($crate::sys::Argument::to_register($arg)),*]),
        ))
    };
}

/// Fills the arguments of a system call up with zeros.
#[inline(always)]
pub fn arguments<const N: usize>(given: [usize; N]) -> [usize; 6] {
    let mut all = [0; 6];
    let mut i = 0;
    while i < N {
        all[i] = given[i];
        i += 1;
    }
    all
}

/// Makes a thread or a process by clone(2), as `flags` say, that runs `f` on a stack, with a thread pointer. `id` is the word that the flags may ask
/// for. Gives the new id.
///
/// # Errors
/// The kernel's.
///
/// # Safety
/// `stack` is the top of memory that is the new thread's alone as long as it lives, `tls` a control block that is; so is the word, if there is one.
pub unsafe fn clone_bare(
    flags: i32,
    stack: usize,
    tls: usize,
    id: *mut i32,
    f: fn() -> !,
) -> SysResult {
    let ret: isize;
    // SAFETY: the parent goes on behind the block; the child has a stack of its own, calls `f` on it, and never returns.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "call r9",
            "ud2",
            "2:",
            in("r9") f,
            inlateout("rax") libc::SYS_clone as isize => ret,
            in("rdi") (flags | libc::CLONE_SETTLS) as usize,
            in("rsi") stack & !15,
            in("rdx") id,
            in("r10") id,
            in("r8") tls,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    check(ret)
}

/// Waits until a word of the runtime's own is woken, if it is as expected. It may return for nothing.
pub fn futex_wait(word: &std::sync::atomic::AtomicU32, expected: u32) {
    const OPERATION: i32 = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word is alive while it is borrowed.
    let _ = unsafe { sys!(SYS_futex, word.as_ptr(), OPERATION, expected, 0) };
}

/// As [`futex_wait`], for so many ns at most.
pub fn futex_wait_for(word: &std::sync::atomic::AtomicU32, expected: u32, ns: u64) {
    const OPERATION: i32 = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    #[allow(clippy::cast_possible_wrap)]
    let time = libc::timespec {
        tv_sec: (ns / 1_000_000_000) as i64,
        tv_nsec: (ns % 1_000_000_000) as i64,
    };
    // SAFETY: as above, and so is the time.
    let _ = unsafe { sys!(SYS_futex, word.as_ptr(), OPERATION, expected, &time) };
}

/// Wakes up to `count` of those who wait on a word of the runtime's own.
pub fn futex_wake(word: &std::sync::atomic::AtomicU32, count: i32) {
    const OPERATION: i32 = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: as above; nothing is touched.
    let _ = unsafe { sys!(SYS_futex, word.as_ptr(), OPERATION, count) };
}

/// Nanoseconds on a clock that `clock_gettime` reads without entering the kernel.
pub fn now(clock: libc::clockid_t) -> u64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `t` is valid for writing; libc's wrapper uses the vdso and cannot fail for a known clock.
    unsafe { libc::clock_gettime(clock, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// Nanoseconds on a clock of CPU time: a system call. 0 if there is no such clock.
pub(crate) fn cpu_time(clock: libc::clockid_t) -> u64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `t` is valid for writing.
    let _ = unsafe { sys!(SYS_clock_gettime, clock, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// getrusage(2).
///
/// # Errors
/// `EINVAL`.
pub(crate) fn usage(who: i32) -> Result<libc::rusage, Errno> {
    // SAFETY: zero is a valid value, and the struct is ours.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        sys!(SYS_getrusage, who, &mut usage)?;
        Ok(usage)
    }
}

/// A timeval as microseconds.
pub(crate) fn microseconds(time: libc::timeval) -> u64 {
    time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64
}

/// The process's id.
pub fn process_id() -> i32 {
    // SAFETY: takes no arguments.
    id(unsafe { sys!(SYS_getpid) })
}

/// The calling OS thread's id.
pub fn thread_id() -> i32 {
    // SAFETY: takes no arguments.
    id(unsafe { sys!(SYS_gettid) })
}

/// What a call that cannot fail has given.
fn id(result: SysResult) -> i32 {
    result.ok().and_then(|id| id.try_into().ok()).unwrap_or(0)
}

/// Whether the kernel lets programs set the FS and GS bases by instructions of their own: `HWCAP2_FSGSBASE`, Linux 5.9.
pub fn has_fsgsbase() -> bool {
    // SAFETY: reads the auxiliary vector.
    unsafe { libc::getauxval(libc::AT_HWCAP2) & 2 != 0 }
}

/// Where user space ends: a page before the end of the canonical half.
const END: usize = (1 << 47) - 4096;

/// Whether a number can be a user-space address at all: not in the first page, not beyond the canonical half.
pub fn plausible(addr: usize) -> bool {
    (4096..END).contains(&addr)
}

/// Whether so many bytes can be user-space memory at all. Else read(2) and its kin fail before they look at anything.
pub(crate) fn is_range(addr: usize, len: usize) -> bool {
    addr.checked_add(len).is_some_and(|end| end <= END)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_values_round_trip() {
        assert_eq!(check(-11), Err(Errno::AGAIN));
        assert_eq!(check(7), Ok(7));
        assert_eq!(encode(Err(Errno::AGAIN)) as i64, -11);
        // An address in the upper half of the range is a value, not an error.
        assert_eq!(check(-4096), Ok(-4096isize as usize));
    }
}
