//! The survivor: a process that shares this one's memory and lives a moment longer, to mark the robust locks of tasks.
//!
//! When a process is killed by SIGKILL, or becomes another program, the kernel marks the robust locks that its threads hold, so that other processes that
//! share them do not wait for ever. It knows its threads by their ids, and tasks have ids of their own (docs/decisions/0014): it would pass their
//! locks over. Nothing inside the process is left to do it. So a process that might need it has a second one beside it:
//!
//! ```text
//!   the process                      in between                       the survivor
//!   ───────────                      ──────────                       ────────────
//!   clone: memory, descriptors ────▶ clone: the same ───────────────▶ closes its descriptors, leaves the session, the directory, and
//!   …                                exit                             every right to call the kernel but for what it does below
//!   wait4 for it               ◀───                                   ready; waits for ALIVE to change: a futex
//!   goes on                    ◀───────────────────────────────────
//!   ⋮                                                                 ⋮
//!   killed, or exec: the kernel clears ALIVE and wakes who waits      waits until all of its threads are gone
//!   (CLONE_CHILD_CLEARTID, of the process's first OS thread)          walks the robust lists (syscalls/robust.rs); exit
//! ```
//!
//! *Who has one*: a process with tasks, memory that others share, and an object that asks the loader for libc's robust mutexes: the first two
//! without the third cannot have such locks, and most programs never have the third. It is made when the last of these comes, before the
//! call that brings it returns; so no lock can have been taken before.
//!
//! *What it can do*: if it is the memory's only user, nothing but wait, wake and end. It keeps the rights that the process had when it was made, and its
//! stack is in that process's memory. A seccomp filter takes all system calls from it but those.
//!
//! *What it is to others*: nobody's child but init's, so no wait(2) of the program's tells of it; in a session of its own, so no signal for a group
//! finds it, and it blocks all that there are. Processes that are init themselves (or take its place for others, `PR_SET_CHILD_SUBREAPER`)
//! would find it among their children: they have none.

use crate::everywhere;
use crate::sys;
use crate::sys::Errno;
use crate::syscalls::{memory, robust};
use crate::{signal, task, thread};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

/// 1 while the process's first OS thread lives, for the kernel to clear.
static ALIVE: AtomicU32 = AtomicU32::new(1);
/// The program has an object that uses robust mutexes.
static EXPECTED: AtomicBool = AtomicBool::new(false);
/// There are tasks.
static LIVE: AtomicBool = AtomicBool::new(false);
/// The survivor has been made, or cannot be.
static MADE: AtomicBool = AtomicBool::new(false);
/// The survivor's id, for the kernel to set, and to clear and wake when it has ended.
static ID: AtomicI32 = AtomicI32::new(0);
/// 1 when the survivor can do its work; negative: the error that it, or the process in between, met.
static STATE: AtomicI32 = AtomicI32::new(0);

/// The functions of libc that only a program with robust mutexes calls.
pub const SIGNS: [&str; 4] = [
    "pthread_mutexattr_setrobust",
    "pthread_mutexattr_setrobust_np",
    "pthread_mutex_consistent",
    "pthread_mutex_consistent_np",
];

/// An object that asks for one of [`SIGNS`] is loaded.
pub fn expect() {
    EXPECTED.store(true, Ordering::SeqCst);
    consider();
}

/// Whether [`expect`] was called.
pub fn is_expected() -> bool {
    EXPECTED.load(Ordering::Relaxed)
}

/// There are tasks from now on. On the process's first OS thread.
pub(crate) fn begin() {
    ALIVE.store(1, Ordering::Relaxed);
    // SAFETY: the word is a static. (The one before was libc's, and the main task has that one now.)
    let _ = unsafe { sys!(SYS_set_tid_address, ALIVE.as_ptr()) };
    LIVE.store(true, Ordering::SeqCst);
    consider();
}

/// Makes the survivor, if now all is there that it takes.
pub(crate) fn consider() {
    let is_time = EXPECTED.load(Ordering::SeqCst) && memory::any_shared();
    if !is_time || !LIVE.load(Ordering::SeqCst) || MADE.swap(true, Ordering::SeqCst) {
        return;
    }
    match make() {
        Ok(id) => tracing::info!("process {id} marks robust locks if this one is killed"),
        Err(why) => tracing::warn!(
            "robust locks of other threads than the main one stay locked if this process is killed: {why}"
        ),
    }
}

fn make() -> Result<i32, String> {
    if adopts_orphans() {
        return Err("it is init, or takes its place, and would have one more child".into());
    }
    let error = |e: Errno| format!("no process to do it ({e})");
    let between = thread::spawn_process(in_between, true, None).map_err(error)?;
    // SAFETY: waits for a process that has ended; says nothing of how.
    let _ = unsafe { sys!(SYS_wait4, between, 0, libc::__WALL, 0) };
    loop {
        // In this order: it ends after it has said why.
        let id = ID.load(Ordering::Acquire);
        match STATE.load(Ordering::Acquire) {
            0 if id == 0 => return Err("the process to do it has ended".into()),
            // The kernel wakes by the word that other processes share.
            // SAFETY: the word is a static.
            0 => drop(unsafe { sys!(SYS_futex, ID.as_ptr(), libc::FUTEX_WAIT, id, 0) }),
            failed if failed < 0 => return Err(error(Errno(-failed))),
            _ => return Ok(id),
        }
    }
}

fn adopts_orphans() -> bool {
    let mut reaper = 0i32;
    // SAFETY: fills the word.
    let known = unsafe { sys!(SYS_prctl, libc::PR_GET_CHILD_SUBREAPER, &mut reaper) };
    sys::process_id() == 1 || known.is_ok() && reaper != 0
}

/// The process in between, whose end makes the survivor init's.
fn in_between() -> ! {
    if let Err(e) = thread::spawn_process(outlive, false, Some(&ID)) {
        STATE.store(-e.0, Ordering::Release);
    }
    end()
}

/// Ends a process.
fn end() -> ! {
    loop {
        // SAFETY: does not come back.
        let _ = unsafe { sys!(SYS_exit_group, 0) };
    }
}

/// The survivor, from its beginning to its end.
fn outlive() -> ! {
    let faults = signal::bit(libc::SIGSEGV) | signal::bit(libc::SIGBUS);
    signal::set_kernel_mask(!faults);
    let process = task::MAIN.load(Ordering::Relaxed);
    if let Err(e) = withdraw(process) {
        STATE.store(-e.0, Ordering::Release);
        end();
    }
    STATE.store(1, Ordering::Release);
    // SAFETY: the word is a static.
    let _ = unsafe { sys!(SYS_futex, ID.as_ptr(), libc::FUTEX_WAKE, 1) };
    // The kernel wakes by the word that other processes share, which is also this one's.
    while ALIVE.load(Ordering::Acquire) != 0 {
        wait_for_end();
        if !is_there(process, process) {
            break;
        }
    }
    // All: one that is not yet dead may be just unlocking. After SIGKILL none of them gets far.
    let gone = everywhere::ids().all(|id| id == process || is_gone(process, id));
    if gone {
        robust::outlived();
    }
    end()
}

/// Waits until [`ALIVE`] is woken. A minute at most: some kernels do not clear it when they dump core.
fn wait_for_end() {
    let minute = libc::timespec {
        tv_sec: 60,
        tv_nsec: 0,
    };
    // SAFETY: the word and the time live.
    let _ = unsafe { sys!(SYS_futex, ALIVE.as_ptr(), libc::FUTEX_WAIT, 1, &minute) };
}

/// Whether a process has a thread.
fn is_there(process: i32, thread: i32) -> bool {
    // SAFETY: sends nothing.
    let asked = unsafe { sys!(SYS_tgkill, process, thread, 0) };
    asked != Err(Errno(libc::ESRCH))
}

/// Waits until a process has no such thread any more. False if it still has it after a long time.
fn is_gone(process: i32, thread: i32) -> bool {
    const STEP: u64 = 50_000;
    const STEPS: u32 = 200_000;
    let never = AtomicU32::new(0);
    (0..STEPS).any(|_| {
        let gone = !is_there(process, thread);
        if !gone {
            sys::futex_wait_for(&never, 0, STEP);
        }
        gone
    })
}

/// Gives up all that the survivor has of the process but its memory, and every call that it does not need.
fn withdraw(process: i32) -> Result<(), Errno> {
    // SAFETY: about this process alone; the strings are C strings.
    unsafe {
        // Without a moment in which it has copies of them: a pipe whose end it kept would not end.
        sys!(SYS_close_range, 0, u32::MAX, libc::CLOSE_RANGE_UNSHARE)?;
        let _ = sys!(SYS_prctl, libc::PR_SET_NAME, c"coop-survivor".as_ptr());
        let _ = sys!(SYS_chdir, c"/".as_ptr());
        sys!(SYS_setsid)?;
        sys!(SYS_prctl, libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)?;
    }
    only_allow(process)
}

/// A seccomp filter: futex, a tgkill(2) that only asks, the return from a fault's handler, and the end.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn only_allow(process: i32) -> Result<(), Errno> {
    /// Offsets in `struct seccomp_data`: the number, the architecture, and arguments as two halves.
    const NUMBER: u32 = 0;
    const ARCH: u32 = 4;
    const fn argument(i: u32) -> u32 {
        16 + 8 * i
    }
    const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const IS: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut filter = [
        step(LOAD, 0, 0, ARCH),
        step(IS, 0, 10, AUDIT_ARCH_X86_64),
        step(LOAD, 0, 0, NUMBER),
        step(IS, 7, 0, libc::SYS_futex as u32),
        step(IS, 6, 0, libc::SYS_rt_sigreturn as u32),
        step(IS, 5, 0, libc::SYS_exit_group as u32),
        step(IS, 0, 5, libc::SYS_tgkill as u32),
        step(LOAD, 0, 0, argument(0)),
        step(IS, 0, 3, process as u32),
        step(LOAD, 0, 0, argument(2)),
        step(IS, 0, 1, 0),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
        step(RETURN, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
    ];
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: the program is valid.
    unsafe {
        sys!(
            SYS_prctl,
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &program,
            0,
            0
        )
    }
    .map(|_| ())
}

/// In a forked child that begins anew: what survives the parent is the parent's.
pub(crate) fn reset() {
    LIVE.store(false, Ordering::Relaxed);
    MADE.store(false, Ordering::Relaxed);
    ID.store(0, Ordering::Relaxed);
    STATE.store(0, Ordering::Relaxed);
}
