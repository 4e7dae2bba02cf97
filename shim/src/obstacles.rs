//! What would make a converted process end badly, looked for before anything has changed.
//!
//! - A *sanitizer* that stops all threads by means of its own, or wants its library first.
//! - A *shadow stack* (CET): the kernel kills a thread that returns to where it was not called from, and tasks change stacks all the time.
//! - *Valgrind*, which runs one thread at a time, of those that it knows, on a processor of its own making.
//! - *Another process that shares the table of descriptors*, with its parent or its child (`CLONE_FILES`): it could close the hubs'. (One that
//!   is made later has a [guard](coop_runtime::guard).)
//! - A *seccomp filter* that forbids what the runtime needs. What a filter does shows only when a call is made, and it may kill. So a
//!   child makes each of the calls once, in a form that does nothing, and who ends it or says `EPERM` is known by name. The child has
//!   this process's memory, so it costs no copy of it, and no SIGCHLD tells of it. It is made only where there is a filter (any container
//!   has one).

use coop_runtime::config::{self, Simulate};
use coop_runtime::sys;
use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Looks for all of them: what there is, in words.
pub fn look() -> Result<(), String> {
    sanitizer()?;
    valgrind()?;
    shadow_stack()?;
    shared_table()?;
    seccomp()
}

fn shared_table() -> Result<(), String> {
    const KCMP_FILES: i32 = 2;
    let own = sys::process_id();
    // Where the kernel does not tell (CONFIG_PROC_CHILDREN, CONFIG_KCMP, a filter) there is none, as nearly always.
    let children = std::fs::read_to_string("/proc/thread-self/children");
    let children = children.unwrap_or_default();
    // SAFETY: getppid(2) cannot fail; 0 is a process outside of the PID namespace.
    let parent = unsafe { libc::getppid() };
    let mut others = children
        .split_whitespace()
        .filter_map(|id| id.parse().ok())
        .chain([parent])
        .filter(|id| *id > 0);
    // SAFETY: compares, and changes nothing.
    let shares = |id: &i32| unsafe { sys!(SYS_kcmp, own, *id, KCMP_FILES, 0, 0) } == Ok(0);
    match others.find(shares) {
        Some(id) => Err(format!(
            "process {id} shares its table of descriptors (CLONE_FILES), and could close those that the hubs need"
        )),
        None => Ok(()),
    }
}

fn sanitizer() -> Result<(), String> {
    const THEIRS: [(&CStr, &str); 3] = [
        (c"__asan_init", "AddressSanitizer"),
        (c"__lsan_init", "LeakSanitizer"),
        (c"__msan_init", "MemorySanitizer"),
    ];
    let found = THEIRS.iter().find(|(symbol, _)| {
        // SAFETY: looks a name up.
        !unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) }.is_null()
    });
    match found {
        Some((_, name)) => Err(format!(
            "the program has {name} in it, which has to see all threads"
        )),
        None => Ok(()),
    }
}

fn valgrind() -> Result<(), String> {
    /// How many Valgrinds there are around the program (`VG_USERREQ__RUNNING_ON_VALGRIND` of valgrind.h).
    const RUNNING_ON_VALGRIND: usize = 0x1001;
    let request = [RUNNING_ON_VALGRIND, 0, 0, 0, 0, 0];
    let mut depth = 0usize;
    // SAFETY: the client request of valgrind.h: turns rdi all the way round and changes nothing; Valgrind knows it, and answers in rdx.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rdi") 0usize,
            in("rax") &raw const request,
            inout("rdx") depth,
        );
    }
    match depth {
        0 => Ok(()),
        _ => Err("Valgrind runs the program, and has to see all threads".into()),
    }
}

fn shadow_stack() -> Result<(), String> {
    const ARCH_SHSTK_DISABLE: i32 = 0x5002;
    const ARCH_SHSTK_STATUS: i32 = 0x5005;
    const ARCH_SHSTK_SHSTK: u64 = 1;
    let simulated = config::get().simulate == Simulate::ShadowStack;
    let mut features = 0u64;
    // SAFETY: fills the word. Kernels without shadow stacks know no such code.
    let known = unsafe { sys!(SYS_arch_prctl, ARCH_SHSTK_STATUS, &mut features) }.is_ok();
    let there = known && features & ARCH_SHSTK_SHSTK != 0;
    if !simulated && !there {
        return Ok(());
    }
    // libc may have locked it.
    // SAFETY: what was pushed there is not looked at any more.
    if !simulated && unsafe { sys!(SYS_arch_prctl, ARCH_SHSTK_DISABLE, ARCH_SHSTK_SHSTK) }.is_ok() {
        tracing::info!("the shadow stack is disabled");
        return Ok(());
    }
    Err("the program has a shadow stack (CET) that cannot be disabled".into())
}

/// The call that the child is about to make; after its end, the one that it could not.
static AT: AtomicUsize = AtomicUsize::new(0);

/// What hubs, pool and receiver cannot do without, in forms that do nothing: wrong arguments, or none.
const NEEDED: &[(&str, libc::c_long, [usize; 6])] = {
    const BAD: usize = usize::MAX;
    const fn call(a: usize, b: usize, c: usize, d: usize) -> [usize; 6] {
        [a, b, c, d, 0, 0]
    }
    // CLONE_THREAD alone makes no sense.
    const CLONE_NOTHING: usize = 0x1_0000;
    &[
        ("epoll_create1", libc::SYS_epoll_create1, call(BAD, 0, 0, 0)),
        ("epoll_ctl", libc::SYS_epoll_ctl, call(BAD, 2, BAD, 0)),
        ("epoll_wait", libc::SYS_epoll_wait, call(BAD, 0, 0, 0)),
        ("eventfd2", libc::SYS_eventfd2, call(0, BAD, 0, 0)),
        ("signalfd4", libc::SYS_signalfd4, call(BAD, 0, 0, 0)),
        ("futex", libc::SYS_futex, call(0, 129, 0, 0)),
        ("tgkill", libc::SYS_tgkill, call(BAD, BAD, 0, 0)),
        (
            "rt_tgsigqueueinfo",
            libc::SYS_rt_tgsigqueueinfo,
            call(BAD, BAD, 0, 0),
        ),
        ("rt_sigprocmask", libc::SYS_rt_sigprocmask, call(0, 0, 0, 8)),
        (
            "rt_sigtimedwait",
            libc::SYS_rt_sigtimedwait,
            call(0, 0, 0, 0),
        ),
        ("sigaltstack", libc::SYS_sigaltstack, call(0, 0, 0, 0)),
        ("mmap", libc::SYS_mmap, call(0, 0, 0, 0)),
        ("munmap", libc::SYS_munmap, call(0, 0, 0, 0)),
        ("mprotect", libc::SYS_mprotect, call(0, 0, 0, 0)),
        ("madvise", libc::SYS_madvise, call(0, 0, 0, 0)),
        ("clone", libc::SYS_clone, call(CLONE_NOTHING, 0, 0, 0)),
        ("gettid", libc::SYS_gettid, call(0, 0, 0, 0)),
        ("openat", libc::SYS_openat, call(BAD, 0, 0, 0)),
        ("fcntl", libc::SYS_fcntl, call(BAD, 1, 0, 0)),
        ("prlimit64", libc::SYS_prlimit64, call(0, 7, 0, 0)),
        ("ppoll", libc::SYS_ppoll, call(0, BAD, 0, 0)),
        ("read", libc::SYS_read, call(BAD, 0, 0, 0)),
        ("write", libc::SYS_write, call(BAD, 0, 0, 0)),
        ("close", libc::SYS_close, call(BAD, 0, 0, 0)),
        ("exit", libc::SYS_exit, call(0, 0, 0, 0)),
    ]
};

/// Runs in the child.
extern "C" fn make_all(_: *mut libc::c_void) -> libc::c_int {
    let default = [0u64; 4];
    let no_core = [0u64, 0];
    // SAFETY: the child's own actions and limits; each call as the table says.
    unsafe {
        let _ = sys!(SYS_rt_sigaction, libc::SIGSYS, &default, 0, 8);
        let _ = sys!(SYS_prlimit64, 0, libc::RLIMIT_CORE, &no_core, 0);
        for (at, (_, number, arguments)) in NEEDED.iter().enumerate() {
            AT.store(at, Ordering::SeqCst);
            let result = sys::check(sys::syscall_raw(*number as usize, *arguments));
            if let Err(sys::Errno(libc::EPERM | libc::EACCES | libc::ENOSYS)) = result {
                let _ = sys!(SYS_exit_group, 1);
            }
        }
    }
    unreachable!("exit returned")
}

fn seccomp() -> Result<(), String> {
    const STACK: usize = 64 << 10;
    let status = std::fs::read("/proc/self/status").unwrap_or_default();
    let filtered = status
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_prefix(b"Seccomp:"))
        .any(|mode| mode.trim_ascii() != b"0");
    if !filtered {
        return Ok(());
    }
    let mut stack = vec![0u8; STACK];
    let top = stack.as_mut_ptr_range().end as usize & !15;
    AT.store(0, Ordering::SeqCst);
    let mut ended = 0;
    // SAFETY: this thread waits until the child has ended, which has a stack of its own and changes nothing but `AT`. It is told of by
    // no signal, and only this wait sees it.
    unsafe {
        let flags = libc::CLONE_VM | libc::CLONE_VFORK;
        let child = libc::clone(
            make_all,
            top as *mut libc::c_void,
            flags,
            std::ptr::null_mut(),
        );
        if child == -1 {
            let error = std::io::Error::last_os_error();
            return Err(format!(
                "a seccomp filter is there, and it cannot be tried what it lets through ({error})"
            ));
        }
        while sys!(SYS_wait4, child, &mut ended, libc::__WALL, 0) == Err(sys::Errno::INTR) {}
    }
    if ended == 0 {
        return Ok(());
    }
    let name = NEEDED[AT.load(Ordering::SeqCst)].0;
    Err(format!("a seccomp filter forbids {name}, which is needed"))
}
