//! Conversion: the moment at which a dormant library takes the kernel's place.
//!
//! It happens when the program is about to create its first thread, while it has one. In order: check that everything needed is there
//! (nothing has changed yet: a refusal leaves the program native, with one line that says why); rewrite the syscall sites; start the
//! hubs; and turn the thread that runs all this into the main task: it *departs*, its registers go to a hub, and the OS thread goes
//! on elsewhere as the receiver of signals. For the program nothing has happened: `pthread_create` goes on, as a task.
//!
//! A forked child is dormant again, and may come through here once more.

use crate::image::{FileBytes, Image};
use crate::rewrite::{self, Entries};
use crate::{crossing, guarded, obstacles, programs, robust, trap};
use coop_runtime::config::{self, Door, Simulate};
use coop_runtime::context::Crossing;
use coop_runtime::{everywhere, guard, hub, log, signal, survivor, sys};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicIsize, AtomicU32, AtomicU64, AtomicU8, AtomicUsize, Ordering};
use std::sync::Mutex;

/// No thread was created yet.
const DORMANT: u8 = 0;
/// Threads made now are the runtime's own.
const CONVERTING: u8 = 1;
/// Threads are tasks.
const LIVE: u8 = 2;
/// The program is left alone.
const OFF: u8 = 3;

static STATE: AtomicU8 = AtomicU8::new(DORMANT);

/// Called when the program is about to create a thread.
pub fn before_first_thread() {
    // Unit tests have the hooks in their own executable.
    if cfg!(test)
        || STATE
            .compare_exchange(DORMANT, CONVERTING, Ordering::AcqRel, Ordering::Acquire)
            .is_err()
    {
        return;
    }
    if guard::is_on() {
        // The hubs' descriptors would be the parent's, too, and stay with it.
        tracing::info!("this process shares its parent's descriptors: its threads are native");
        return turn_off();
    }
    match convert() {
        Ok(()) => {}
        Err(why) => {
            coop_runtime::abort_start();
            STATE.store(OFF, Ordering::Release);
            if let Some(why) = why {
                log::complain(format_args!("{why}; the program runs natively"));
            }
        }
    }
}

/// The stack size for threads that ask for the default; 0: the program's own default.
pub fn default_stack() -> usize {
    if STATE.load(Ordering::Relaxed) == LIVE {
        config::get().stack << 10
    } else {
        0
    }
}

/// Whether the process has had no thread but its first one.
pub fn is_dormant() -> bool {
    STATE.load(Ordering::Acquire) == DORMANT
}

/// Whether the program is left alone.
pub fn is_off() -> bool {
    STATE.load(Ordering::Acquire) == OFF
}

/// Says at load time that nothing is to be done, now or later.
pub fn turn_off() {
    STATE.store(OFF, Ordering::Release);
}

fn dormant() {
    STATE.store(DORMANT, Ordering::Release);
}

/// Where the original thread goes on: another stack, another thread pointer. See [`borrow_thread`].
struct Elsewhere {
    stack: AtomicUsize,
    fs: AtomicU64,
    /// Zeroed by the kernel when the lender has ended.
    alive: AtomicU32,
}

static ELSEWHERE: Elsewhere = Elsewhere {
    stack: AtomicUsize::new(0),
    fs: AtomicU64::new(0),
    alive: AtomicU32::new(0),
};

/// The mapping handler may be on several hubs at once.
static REWRITING: Mutex<()> = Mutex::new(());

fn entries() -> Entries {
    Entries {
        exec: programs::coop_exec as *const () as usize,
        guarded: guarded::coop_guarded as *const () as usize,
        guarded_full: guarded::coop_guarded_full as *const () as usize,
        slot_tpoff: crossing::slot_offset(),
        entry: crossing::coop_entry as *const () as usize,
        entry_full: crossing::coop_entry_full as *const () as usize,
        own_address: own_address(),
    }
}

fn own_address() -> usize {
    before_first_thread as *const () as usize
}

/// Converts the process. `Err(None)`: silently not.
fn convert() -> Result<(), Option<String>> {
    let config = config::get();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let hubs = if config.hubs == 0 {
        cpus.min(config::MAX_HUBS)
    } else {
        config.hubs
    };
    coop_runtime::renew();
    // Until the process is converted.
    let _room = coop_runtime::make_room(hubs);
    log::start();
    match listed("/proc/self/task").map(|t| t.len()) {
        Some(1) => {}
        Some(_) => {
            return Err(Some(
                "a thread was created behind pthread_create before the first one through it".into(),
            ))
        }
        None => {
            return Err(Some(
                "no descriptor is left to look at /proc/self/task".into(),
            ))
        }
    }
    if config.simulate == Simulate::NoCrossing {
        return Err(Some(
            "neither wrfsbase nor arch_prctl can set the thread pointer here".into(),
        ));
    }
    obstacles::look().map_err(Some)?;
    crossing::use_fsgsbase(config.fsgsbase && sys::has_fsgsbase());
    trap::set_own_text(
        own_text().ok_or_else(|| Some("cannot find the library's own code".to_string()))?,
    );
    let can_trap = config.simulate != Simulate::NoDoors && trap::available();
    if config.simulate == Simulate::NoDoors || (config.door == Door::Trap && !can_trap) {
        return Err(Some(
            "syscall sites can be caught neither by rewriting nor by Syscall User Dispatch (Linux 5.11) here".into(),
        ));
    }
    coop_runtime::prepare(hubs).map_err(|e| Some(format!("cannot set the hubs up: {e}")))?;

    robust::look_at_loaded();
    let began = std::time::Instant::now();
    let report = rewrite_all(config.door);
    if config.door == Door::Rewrite && report.rewritten == 0 && !already_rewritten() && !can_trap {
        return Err(Some(
            "no syscall site could be rewritten, and Syscall User Dispatch is not there".into(),
        ));
    }
    let trap_all = config.door == Door::Trap || (report.rewritten == 0 && !already_rewritten());
    trap::allow_later(can_trap);
    trap::arm(can_trap && (trap_all || report.trapped > 0));
    tracing::info!(
        "doors: {} sites rewritten, {} trapped, {} left alone, in {} objects, in {:.1} ms{}",
        report.rewritten,
        report.trapped,
        report.left,
        report.objects,
        began.elapsed().as_secs_f64() * 1000.0,
        if trap::armed() {
            "; the trap is armed"
        } else {
            ""
        }
    );
    if report.trapped > 0 && !can_trap {
        tracing::warn!(
            "{} sites can be neither rewritten nor trapped: their calls block their hub",
            report.trapped
        );
    }
    REWRITTEN.fetch_add(report.rewritten, Ordering::Relaxed);
    hub::set_crossing(Crossing {
        resume: crossing::coop_resume,
        resume_frame: crossing::coop_resume_frame,
        leave: crossing::coop_leave,
        signal_return: crossing::coop_signal_return as *const () as usize,
        window: crossing::coop_window as *const () as usize,
        on_signal: trap::on_signal as *const () as usize,
        restorer: crossing::coop_restorer as *const () as usize,
        dormant,
        original: rewrite::original,
        continuation: rewrite::continuation,
        mapped,
        unmapped,
        enter_hub: trap::enter_hub,
        arm_hub: trap::arm_hub,
        in_library: trap::in_library,
        exit: exit as *const () as usize,
        set_slot: crossing::set_slot,
        set_window: crossing::set_window,
    });
    go_live()
}

extern "C" {
    fn exit(status: i32) -> !;
}

static REWRITTEN: AtomicUsize = AtomicUsize::new(0);

fn already_rewritten() -> bool {
    REWRITTEN.load(Ordering::Relaxed) > 0
}

fn rewrite_all(door: Door) -> rewrite::Report {
    let sites = match door {
        Door::Rewrite => rewrite::Sites::All,
        Door::Trap => rewrite::Sites::Native,
    };
    let report = rewrite::rewrite_loaded(&entries(), sites, |object| {
        let r = &object.report;
        tracing::debug!(
            "{}: {} rewritten, {} trapped, {} left alone",
            object.name,
            r.rewritten,
            r.trapped,
            r.left
        );
    });
    match door {
        Door::Rewrite => report,
        // What was left is the trap's.
        Door::Trap => rewrite::Report::default(),
    }
}

/// Starts the threads and departs.
fn go_live() -> Result<(), Option<String>> {
    // From here on signals wait, faults' that somebody sends among them, until the receiver takes them.
    let mut mask = 0u64;
    // SAFETY: sets and reads this thread's mask.
    let _ = unsafe { sys!(SYS_rt_sigprocmask, libc::SIG_SETMASK, &!0u64, &mut mask, 8) };
    let result = start(mask);
    if result.is_err() {
        // SAFETY: as above.
        let _ = unsafe { sys!(SYS_rt_sigprocmask, libc::SIG_SETMASK, &mask, 0, 8) };
    }
    result
}

fn start(mask: u64) -> Result<(), Option<String>> {
    let main = start_threads(mask)?;
    drop_dead_stack();
    // SAFETY: this thread's own control block. From here on it is the main task's: this thread makes raw calls only until it has
    // departed.
    unsafe { crossing::set_slot(crossing::fs_base(), std::ptr::null_mut()) };
    MAIN.set(main);
    STATE.store(LIVE, Ordering::Release);
    let (stack, fs) = (
        ELSEWHERE.stack.load(Ordering::Acquire),
        ELSEWHERE.fs.load(Ordering::Acquire),
    );
    // SAFETY: the context is the main task's, which is not ready yet; the stack and thread pointer are of a thread that has ended.
    unsafe { crossing::coop_depart(main, stack, fs, receive) };
    // Here the main task goes on, on its hub. It owns nothing from before: a task must not use the runtime's heap, whose lock it would
    // wait for, and wake others for, as a task does, while those who hold it are threads of the kernel's.
    Ok(())
}

/// Starts the receiver's and the hubs' threads. Gives the main task, not yet ready.
fn start_threads(mask: u64) -> Result<*mut coop_runtime::context::Context, Option<String>> {
    let before = descriptors().ok_or("no descriptor is left for the hubs".to_string())?;
    enough_descriptors()?;
    borrow_thread().map_err(|e| Some(format!("cannot create a thread: {e}")))?;
    // After libc has made a thread, and with it installed its own handler (setxid's); before the library installs its own.
    signal::read_actions();
    signal::receiver::announce();
    find_rseq();
    trap::install_handlers();
    // The threads made now keep this mask, and orders must reach all of them.
    // SAFETY: reads eight bytes.
    let _ = unsafe {
        sys!(
            SYS_rt_sigprocmask,
            libc::SIG_UNBLOCK,
            &signal::bit(signal::KICK),
            0,
            8
        )
    };
    let faults = [libc::SIGSEGV, libc::SIGBUS].map(|s| (s, Fault::get(s)));
    if let Err(e) = coop_runtime::start_hubs() {
        signal::give_actions_back();
        return Err(Some(format!("cannot start the hubs: {e}")));
    }
    signal::take_actions_over();
    // generator, under may, installs handlers for these: ours come back.
    for (signal, action) in faults {
        action.set(signal);
    }
    // may's own epolls and eventfds are never used again: its workers are the hubs' for good.
    let after = descriptors().unwrap_or_default();
    for fd in after.into_iter().filter(|fd| !before.contains(fd)) {
        coop_runtime::close_unless_own(fd);
    }
    for name in listed("/proc/self/task").unwrap_or_default() {
        settle(name);
    }
    unregister_rseq();
    Ok(coop_runtime::make_main(mask, crossing::fs_base()))
}

/// Gives back what the conversion used of the process's own stack, some 200 KiB: every fork would copy it. Not of another stack, below
/// which there may be anything.
fn drop_dead_stack() {
    /// Below here: frames still to come, and the red zone.
    const NEAR: usize = 16 << 10;
    const PAGE: usize = 4096;
    let here = 0u8;
    let here = &raw const here as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let stack = maps.lines().find(|l| l.ends_with("[stack]"));
    let ends = stack.and_then(|l| l.split(' ').next()?.split_once('-'));
    let Some((start, end)) = ends.and_then(|(start, end)| {
        let number = |n| usize::from_str_radix(n, 16).ok();
        Some((number(start)?, number(end)?))
    }) else {
        return;
    };
    let dead = (here - NEAR) & !(PAGE - 1);
    if (start..end).contains(&here) && start < dead {
        // SAFETY: of the stack that this thread is on, what is below all frames; signals are blocked.
        let _ = unsafe { sys!(SYS_madvise, start, dead - start, libc::MADV_DONTNEED) };
    }
}

/// Enters a thread, and waits until one that `may` made (its timer's, which only sleeps) is through libc's start of it. libc's setuid waits for that, by
/// a futex: main's are answered by the hubs from now on, and this thread would wake the kernel's.
///
/// The name is proc(5)'s: where `/proc` is that of an outer PID namespace it is not the id.
fn settle(name: i32) {
    coop_runtime::spin::until(|| {
        let status = std::fs::read_to_string(format!("/proc/self/task/{name}/status"));
        let status = status.unwrap_or_default();
        let field = |name| status.lines().find_map(|l| l.strip_prefix(name));
        let inner = field("NSpid:").and_then(|ids| ids.split_whitespace().next_back());
        let thread = inner.and_then(|id| id.parse().ok()).unwrap_or(name);
        everywhere::register_unless_known(thread);
        // Asleep, or ended.
        thread == sys::thread_id() || !field("State:").is_some_and(|s| s.trim().starts_with('R'))
    });
}

/// The main task's context, from the thread before its departure to itself after it.
struct Handed(UnsafeCell<*mut coop_runtime::context::Context>);
// SAFETY: written and read by the one thread that departs.
unsafe impl Sync for Handed {}
impl Handed {
    fn set(&self, context: *mut coop_runtime::context::Context) {
        // SAFETY: see above.
        unsafe { *self.0.get() = context };
    }
    fn get(&self) -> *mut coop_runtime::context::Context {
        // SAFETY: see above.
        unsafe { *self.0.get() }
    }
}
static MAIN: Handed = Handed(UnsafeCell::new(std::ptr::null_mut()));

/// The original thread after its departure: hands the main task to its hub and receives signals for ever.
extern "C" fn receive() -> ! {
    let main = MAIN.get();
    // SAFETY: the task's own thread pointer; it runs only from `start_main` on.
    unsafe { crossing::set_slot((*main).fs, main) };
    signal::receiver::take_over_thread();
    coop_runtime::start_main();
    signal::receiver::run()
}

/// Makes a thread that ends at once and leaves its stack and control block to the receiver: the original thread's own belong to the
/// main task now, and the receiver's Rust code needs thread-locals like any other.
fn borrow_thread() -> std::io::Result<()> {
    extern "C" fn lend(_: *mut libc::c_void) -> *mut libc::c_void {
        let here = 0u64;
        ELSEWHERE
            .stack
            .store(&raw const here as usize - 1024, Ordering::Release);
        ELSEWHERE.fs.store(crossing::fs_base(), Ordering::Release);
        // SAFETY: the kernel zeroes and wakes `alive` when this thread is gone; libc never hears of its end, so its stack stays.
        unsafe {
            let _ = sys!(SYS_set_tid_address, ELSEWHERE.alive.as_ptr());
            let _ = sys!(SYS_exit, 0);
        }
        unreachable!("exit returned")
    }
    ELSEWHERE.alive.store(1, Ordering::Release);
    // SAFETY: a plain thread, made before the process is converted.
    unsafe {
        let mut thread = std::mem::zeroed();
        let mut attributes = std::mem::zeroed();
        libc::pthread_attr_init(&mut attributes);
        libc::pthread_attr_setstacksize(&mut attributes, 256 << 10);
        let error = libc::pthread_create(&mut thread, &attributes, lend, std::ptr::null_mut());
        libc::pthread_attr_destroy(&mut attributes);
        if error != 0 {
            return Err(std::io::Error::from_raw_os_error(error));
        }
        while ELSEWHERE.alive.load(Ordering::Acquire) != 0 {
            let _ = sys!(SYS_futex, ELSEWHERE.alive.as_ptr(), libc::FUTEX_WAIT, 1, 0);
        }
    }
    Ok(())
}

/// Where libc has a thread's rseq area, from its thread pointer, and the area's size; 0: it has none.
static RSEQ_OFFSET: AtomicIsize = AtomicIsize::new(0);
static RSEQ_SIZE: AtomicU32 = AtomicU32::new(0);

/// Looks for libc's own words (2.35 and later) that say where rseq areas are.
fn find_rseq() {
    // SAFETY: if they are there, they are constants of these types.
    unsafe {
        let offset = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()).cast::<isize>();
        let size = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_size".as_ptr()).cast::<u32>();
        if !offset.is_null() && !size.is_null() && *size != 0 {
            RSEQ_OFFSET.store(*offset, Ordering::Relaxed);
            // The registered length is at least the first version's 32 bytes, whatever is in use of it.
            RSEQ_SIZE.store((*size).max(32), Ordering::Relaxed);
        }
    }
}

/// Unregisters the calling thread's rseq area. The kernel keeps the first thread's, which is the main task's now, current with the
/// *receiver's* CPU: without an area sched_getcpu(3) asks the kernel. And it would go on writing to a hub's in a child that a task forks
/// there, where libc unmaps that thread's stack, with the area in it.
pub fn unregister_rseq() {
    const SIGNATURE: u32 = 0x5305_3053;
    const UNREGISTER: i32 = 1;
    let size = RSEQ_SIZE.load(Ordering::Relaxed);
    if size == 0 {
        return;
    }
    let offset = RSEQ_OFFSET.load(Ordering::Relaxed);
    let area = crossing::fs_base().wrapping_add_signed(offset as i64) as *mut u32;
    // SAFETY: the kernel checks that the area is the registered one; then it is there.
    unsafe {
        if sys!(SYS_rseq, area, size, UNREGISTER, SIGNATURE).is_ok() {
            area.add(1).write(u32::MAX);
        }
    }
}

/// A signal's action in the kernel.
struct Fault([u64; 4]);

impl Fault {
    fn get(signal: i32) -> Self {
        let mut action = [0u64; 4];
        // SAFETY: fills the struct.
        let _ = unsafe { sys!(SYS_rt_sigaction, signal, 0, &mut action, 8) };
        Self(action)
    }
    fn set(&self, signal: i32) {
        // SAFETY: as the kernel gave it.
        let _ = unsafe { sys!(SYS_rt_sigaction, signal, &self.0, 0, 8) };
    }
}

/// The numbers that are the names in a directory.
fn listed(directory: &str) -> Option<Vec<i32>> {
    let list = std::fs::read_dir(directory).ok()?;
    let numbers = list.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    Some(numbers.collect())
}

fn descriptors() -> Option<Vec<i32>> {
    let mut numbers = listed("/proc/self/fd")?;
    // Without that of the listing itself.
    // SAFETY: reads flags.
    numbers.retain(|fd| unsafe { sys!(SYS_fcntl, *fd, libc::F_GETFD) }.is_ok());
    Some(numbers)
}

/// `may` makes an epoll and an eventfd for each worker, and takes it ill when it cannot.
fn enough_descriptors() -> Result<(), String> {
    let wanted = 2 * hub::all().len() + 4;
    let trial: Vec<_> = (0..wanted)
        .map_while(|_| std::fs::File::open("/dev/null").ok())
        .collect();
    if trial.len() < wanted {
        return Err("too few descriptors are left for the hubs".into());
    }
    Ok(())
}

/// The executable segment that holds the library.
fn own_text() -> Option<std::ops::Range<usize>> {
    coop_runtime::objects::find(|object| object.segment_of(own_address()))
}

/// A file was mapped executable: its sites are rewritten before anybody runs them.
fn mapped(fd: i32, at: usize, len: usize, offset: u64) {
    let is_trapped = config::get().door == Door::Trap;
    if is_trapped && survivor::is_expected() {
        return;
    }
    let file = FileBytes::map(fd);
    let image = file.as_ref().and_then(|file| Image::file(file.bytes()));
    if let Some(image) = &image {
        robust::look_at(image, 0);
    }
    if is_trapped {
        return;
    }
    let _one = REWRITING.lock().unwrap_or_else(|e| e.into_inner());
    let report = rewrite::rewrite_mapping(&entries(), fd, image, at, len, offset);
    if report.objects > 0 {
        tracing::debug!(
            "mapped at {at:#x}: {} rewritten, {} trapped, {} left alone",
            report.rewritten,
            report.trapped,
            report.left
        );
    }
    if report.trapped > 0 && !trap::armed() {
        if trap::available_later() {
            trap::arm(true);
            hub::arm_all();
            tracing::info!(
                "{} sites of the object mapped at {at:#x} can only be trapped: the trap is armed",
                report.trapped
            );
        } else {
            tracing::warn!("{} sites of the object mapped at {at:#x} can only be trapped, and the kernel has no trap: their calls block their hub", report.trapped);
        }
    }
}

/// Memory was unmapped.
fn unmapped(at: usize, len: usize) {
    let _one = REWRITING.lock().unwrap_or_else(|e| e.into_inner());
    rewrite::forget(at, len);
}
