//! The runtime under libcoop: a small kernel inside the process.
//!
//! | module | what it knows |
//! |---|---|
//! | [`hub`] | running tasks: ready queues, inboxes, timers, readiness, stopping the world |
//! | [`syscalls`] | what each system call means for a task: one table, one file a family |
//! | [`signal`] | signals of tasks: pending sets, masks, handler frames, preemption, the receiver |
//! | [`task`], [`context`] | what a task is, to the runtime and to the machine |
//! | [`sys`], [`user`] | the kernel's memory and the program's: raw calls, guarded access |
//! | [`pool`], `thread`, `uring`, [`stacks`], [`fds`], [`own`], [`guard`] | what calls need: threads that may block, io_uring, thread stacks, descriptors, and which of these are the runtime's |
//! | [`config`], [`log`], `dump` | what users set and see |
//!
//! It does not know how a call was caught; the shim gives it a [`context::Crossing`] and calls [`convert`].

#![allow(private_interfaces)]

pub mod away;
pub mod config;
pub mod context;
mod deadlock;
mod dump;
mod errand;
pub mod everywhere;
mod extended;
mod fds;
mod future;
pub mod guard;
pub mod heap;
pub mod hub;
pub mod log;
pub mod objects;
pub mod own;
mod places;
mod pool;
mod reserve;
pub mod signal;
pub mod spin;
mod stacks;
mod status;
pub mod survivor;
pub mod sys;
pub mod syscalls;
pub mod task;
mod thread;
mod trim;
mod turn;
mod uring;
pub mod user;

use std::sync::atomic::Ordering;
use sys::Errno;

/// Begins from nothing: in a forked child all tables are as the parent's fork left them, full of the parent's tasks and threads. First of
/// all at conversion.
pub fn renew() {
    if task::MAIN.load(Ordering::Relaxed) == 0 {
        // Never converted: there is nothing, and what is not touched need not be copied by a fork.
        return;
    }
    hub::world::forget_all();
    log::forget_file();
    own::forget_all();
    syscalls::reset();
    signal::reset();
    pool::reset();
    errand::reset();
    everywhere::forget_all();
    hub::forget_all();
    task::forget_all();
    trim::forget_all();
    survivor::reset();
}

/// Makes room for the descriptors that so many hubs need, out of the program's way, until the result is dropped.
pub fn make_room(hubs: usize) -> own::Room {
    // Refused here, it is refused again and told in `prepare`.
    let _ = fds::reserve();
    // Four a hub, the log's and the like; more come when files are closed while tasks wait on them.
    own::Room::make(u32::try_from(4 * hubs + 32).unwrap_or(u32::MAX))
}

/// Gets everything ready for tasks: tables, hubs with their descriptors, what the kernel knows of signals and mappings. Changes
/// nothing that the program could see, so that the caller may still decide to stay native.
///
/// # Errors
/// The kernel's, when memory or a descriptor is refused.
pub fn prepare(hubs: usize) -> Result<(), Errno> {
    extended::measure();
    fds::reserve()?;
    task::reserve()?;
    let hubs = hub::make(hubs);
    let result = signal::receiver::open().and_then(|()| hubs.iter().try_for_each(|hub| hub.open()));
    if let Err(e) = result {
        own::close_all();
        hub::forget_all();
        return Err(e);
    }
    thread::measure_tls();
    syscalls::prepare();
    hub::world::prepare();
    places::prepare();
    syscalls::memory::read_maps();
    fds::look_for_low_water();
    Ok(())
}

/// Starts the hubs, each on a `may` coroutine of its own worker. In a forked child `may` cannot start again (its scheduler is one a
/// process, and its threads did not come along): there a hub runs on a plain thread.
///
/// # Errors
/// What went wrong with a thread, as text.
pub fn start_hubs() -> Result<(), String> {
    use std::sync::atomic::AtomicBool;
    static MAY_STARTED: AtomicBool = AtomicBool::new(false);
    /// Words. A hub's frames are small, but the log formats on this stack, too.
    const CARRIER_STACK: usize = (256 << 10) / size_of::<usize>();
    let hubs = hub::all();
    let first = !MAY_STARTED.swap(true, Ordering::Relaxed);
    if first {
        may::config()
            .set_workers(hubs.len())
            .set_stack_size(CARRIER_STACK)
            // It would make a thousand stacks in advance: two thousand mappings, which every fork copies.
            .set_pool_capacity(hubs.len())
            .set_worker_pin(false);
    }
    for hub in hubs {
        if first {
            let carrier = may::coroutine::Builder::new()
                .name(format!("hub-{}", hub.index))
                .id(hub.index);
            // SAFETY: the carrier never uses thread-locals across a coroutine switch: it never switches, its hub blocks only in
            // its own epoll, on its own worker.
            unsafe { carrier.spawn(move || -> () { hub.run() }) }.map_err(|e| e.to_string())?;
        } else {
            let thread = std::thread::Builder::new().name(format!("hub-{}", hub.index));
            thread
                .stack_size(256 << 10)
                .spawn(move || -> () { hub.run() })
                .map_err(|e| e.to_string())?;
        }
    }
    spin::until(|| hubs.iter().all(|h| h.tid.load(Ordering::Acquire) != 0));
    Ok(())
}

/// Makes the task that the program's main thread becomes, with a signal mask and a thread pointer. Its context is for the crossing
/// to fill before [`start_main`].
///
/// # Panics
/// When called twice without a fork in between.
pub fn make_main(mask: u64, fs: u64) -> *mut context::Context {
    let pid = sys::process_id();
    task::MAIN.store(pid, Ordering::Relaxed);
    let task = task::create(hub::all()[0], Some(pid), mask).expect("room for the first task");
    task.context().fs = fs;
    task.fp.set(extended::control());
    task.gs.set(extended::gs());
    let mut name = [0u8; 16];
    // SAFETY: 16 bytes, as prctl(2) says.
    let _ = unsafe { sys!(SYS_prctl, libc::PR_GET_NAME, name.as_mut_ptr()) };
    task.name.set(name);
    let mut stack = libc::stack_t {
        ss_sp: std::ptr::null_mut(),
        ss_flags: 0,
        ss_size: 0,
    };
    // SAFETY: reads this thread's alternate stack and robust list.
    unsafe {
        if sys!(SYS_sigaltstack, 0, &mut stack).is_ok() {
            task.altstack
                .set((stack.ss_sp as usize, stack.ss_size, stack.ss_flags));
        }
        let (mut head, mut len) = (0usize, 0usize);
        if sys!(SYS_get_robust_list, 0, &mut head, &mut len).is_ok() {
            task.robust_list.set(head);
        }
        task.clear_tid.set(tid_address(fs, pid));
    }
    hub::cpu::begin_with_callers(task);
    task.ctx.get()
}

/// Makes the main task ready. From here on its registers belong to its hub.
pub fn start_main() {
    if let Some(main) = task::main() {
        main.stack
            .set(stack_around(main.context().regs.rsp as usize));
        survivor::begin();
        syscalls::timer::adopt(main);
        signal::receiver::hand_over_pending();
        main.wake();
    }
}

/// The process's first stack, (low, high), if `rsp` is on that: not all of what it may grow to.
fn stack_around(rsp: usize) -> (usize, usize) {
    const USUAL: u64 = 8 << 20;
    // SAFETY: takes no pointers. The kernel has put the bytes that it names at the stack's top.
    let top = unsafe { libc::getauxval(libc::AT_RANDOM) } as usize;
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: fills the struct.
    let _ = unsafe { sys!(SYS_getrlimit, libc::RLIMIT_STACK, &mut limit) };
    let low = top.saturating_sub(limit.rlim_cur.min(USUAL) as usize / 2);
    if (low..top).contains(&rsp) {
        (low, top)
    } else {
        (0, 0)
    }
}

/// Closes a descriptor that appeared while the hubs started, unless it is the runtime's own.
pub fn close_unless_own(fd: i32) {
    if !own::is_own(fd) {
        // SAFETY: nobody uses it: the caller knows whose it was.
        let _ = unsafe { sys!(SYS_close, fd) };
    }
}

/// Takes back what [`prepare`] set up, when the hubs could not be started. Threads that were started stay, asleep.
pub fn abort_start() {
    log::forget_file();
    own::close_all();
    hub::forget_all();
}

/// Where the kernel would store 0 when the main thread ends: libc waits there to join it.
///
/// # Safety
/// `fs` is the calling thread's thread pointer.
unsafe fn tid_address(fs: u64, pid: i32) -> usize {
    const PR_GET_TID_ADDRESS: i32 = 40;
    /// Where glibc has had it in `struct pthread` since 2.4.
    const GLIBC_TID: u64 = 0x2d0;
    let mut address = 0usize;
    // SAFETY: fills a word; without CONFIG_CHECKPOINT_RESTORE the kernel cannot tell, and the place is taken where glibc has it,
    // if what is there is the id.
    unsafe {
        if sys!(SYS_prctl, PR_GET_TID_ADDRESS, &mut address).is_ok() {
            return address;
        }
        let guess = (fs + GLIBC_TID) as *const i32;
        if guess.read() == pid {
            guess as usize
        } else {
            0
        }
    }
}
