//! What the runtime knows of file descriptors: a few bytes a number.
//!
//! The table is a hint that corrects itself: a kind that turns out wrong (a number closed and opened behind our back) leads to
//! an error such as `ENOTSOCK` and is then looked up anew. A number's *generation* changes whenever the program closes or
//! replaces it, and tells a waiter that the number no longer means its file.

use crate::guard;
use crate::reserve::Reserve;
use crate::spin::{self, Spin};
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::syscalls::poll;
use crate::syscalls::trust::Trust;
use crate::task::lock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, AtomicU8, Ordering};
use std::sync::Mutex;

/// What a descriptor refers to, as far as it matters for waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Not looked at yet.
    Unknown = 0,
    /// A socket: has per-call non-blocking forms.
    Socket,
    /// A pipe or FIFO.
    Pipe,
    /// A regular file or a block device: never "not ready", but slow.
    Regular,
    /// A terminal or another character device.
    Device,
    /// eventfd, timerfd, signalfd, inotify, epoll, pidfd …
    Anonymous,
    /// A directory or a symbolic link.
    Other,
}

/// Whether calls on a socket or a pipe that was just made wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Waits {
    /// It has O_NONBLOCK.
    Never,
    /// It has not, and no time-outs either.
    Plainly,
    /// It may have time-outs.
    Somehow,
}

impl Waits {
    /// Of what has no time-outs.
    pub(crate) fn unless(nonblocking: bool) -> Self {
        if nonblocking {
            Self::Never
        } else {
            Self::Plainly
        }
    }
}

/// A number's entry. All zero: never seen.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The generation in the upper half; in the lower whether a close is under way ([`CHANGING`]), whether the description, if it is [`OURS`], has
    /// O_NONBLOCK, and how many calls wait on the number. One word, so that closes and waiters agree on which of them came first.
    state: AtomicU64,
    kind: AtomicU8,
    flags: AtomicU8,
    /// Of a regular file: that the page cache has what is read.
    pub(crate) cached: Trust,
}

/// `state`: a close is under way.
const CHANGING: u64 = 1 << 31;
/// `state`: O_NONBLOCK is set, if the description is [`OURS`].
const NONBLOCKING: u64 = 1 << 30;
/// `state`: how many calls wait.
const WAITERS: u64 = NONBLOCKING - 1;

/// `flags`: made by this process since it was converted, shared with none: what is cached below is true.
const OURS: u8 = 1;
/// `flags`: known to be blocking and without time-outs.
const PLAIN: u8 = 2;
/// `flags`: O_NONBLOCK is set by us for the time of a call; the program must not see it.
const HIDDEN_NONBLOCK: u8 = 4;
/// `flags`: the runtime's own; the program cannot close or replace it.
const OWN: u8 = 8;

/// `flags` of a regular file: opened with O_DIRECT, O_SYNC or O_DSYNC, so that every call waits for the device.
const DEVICE: u8 = 16;
/// `flags` of a regular file: on a file system that does not know `RWF_NOWAIT`.
const NO_NOWAIT: u8 = 32;
/// `flags` of such a file: the file system lives in memory.
const MEMORY: u8 = 64;

/// Numbers beyond this are not tracked (the kernel's default `nr_open` is 2^20).
pub(crate) const TRACKED: usize = 1 << 22;

/// The entries, by number.
static TABLE: Reserve = Reserve::none();
/// No entry above this was ever touched, but for the runtime's own: what a close of a wide range has to look at.
static HIGHEST: AtomicI32 = AtomicI32::new(-1);

/// Reserves the table. Called at conversion; a forked child finds it empty.
///
/// # Errors
/// The kernel's, when the mapping is refused.
pub(crate) fn reserve() -> Result<(), Errno> {
    // A forked child has nothing to ask it.
    TABLE.make(TRACKED * size_of::<Entry>(), &[libc::MADV_WIPEONFORK])
}

/// In a forked child that begins anew: what happens to its descriptors while it is native is not seen, so that nothing is known of them any more.
pub(crate) fn reset() {
    TABLE.clear();
    HIGHEST.store(-1, Ordering::Relaxed);
    *lock(&HIDING) = Vec::new();
}

/// The entry of a number, if it is one that is tracked.
#[inline]
pub(crate) fn entry(fd: i32) -> Option<&'static Entry> {
    let index = usize::try_from(fd).ok().filter(|i| *i < TRACKED)?;
    // SAFETY: the table is mapped for ever, this part of it can be used, and all zero is a valid entry.
    TABLE
        .has((index + 1) * size_of::<Entry>())
        .then(|| unsafe { &*(TABLE.start() as *const Entry).add(index) })
}

impl Entry {
    pub(crate) fn generation(&self) -> u32 {
        (self.state.load(Ordering::Acquire) >> 32) as u32
    }

    /// The generation of whatever file the number means from now on. While a close is under way the number means the old file still, or the next one
    /// already: this waits until it is over. The hub that closes does nothing else meanwhile.
    #[inline]
    pub(crate) fn settled_generation(&self) -> u32 {
        (self.settled() >> 32) as u32
    }

    #[inline]
    fn settled(&self) -> u64 {
        let state = self.state.load(Ordering::Acquire);
        if state & CHANGING == 0 {
            state
        } else {
            self.settle()
        }
    }

    #[cold]
    fn settle(&self) -> u64 {
        let mut state = 0;
        spin::until(|| {
            state = self.state.load(Ordering::Acquire);
            state & CHANGING == 0
        });
        state
    }

    /// Counts a waiter in, if the generation is still this one.
    pub(crate) fn add_waiter(&self, generation: u32) -> bool {
        self.update(generation, |state| state + 1).is_some()
    }

    /// Counts a waiter out, if the generation is still this one, and gives how many are left; else the close has taken the count over.
    pub(crate) fn remove_waiter(&self, generation: u32) -> Option<u32> {
        self.update(generation, |state| state - 1)
    }

    /// Changes the number of waiters, in this generation only; the new number.
    #[allow(clippy::cast_possible_truncation)]
    fn update(&self, generation: u32, change: impl Fn(u64) -> u64) -> Option<u32> {
        let same = |state: u64| (state >> 32 == u64::from(generation)).then(|| change(state));
        self.state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, same)
            .ok()
            .map(|old| (change(old) & WAITERS) as u32)
    }

    /// A close begins, and with it the next generation, without waiters. Gives the old one and its waiters, which are to be `some`, or not. Two closes come one after the
    /// other: what the first keeps is the file of its generation.
    #[allow(clippy::cast_possible_truncation)]
    fn begin_change(&self, some: bool) -> Option<(u32, u32)> {
        loop {
            let old = self.settled();
            if !some && old & WAITERS != 0 {
                return None;
            }
            let new = (old >> 32).wrapping_add(1) << 32 | CHANGING;
            let changed =
                self.state
                    .compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire);
            if changed.is_ok() {
                return Some(((old >> 32) as u32, (old & WAITERS) as u32));
            }
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.kind.load(Ordering::Relaxed) {
            1 => Kind::Socket,
            2 => Kind::Pipe,
            3 => Kind::Regular,
            4 => Kind::Device,
            5 => Kind::Anonymous,
            6 => Kind::Other,
            _ => Kind::Unknown,
        }
    }

    /// As [`store`].
    pub(crate) fn store(&self) -> Store {
        match self.flags.load(Ordering::Relaxed) & (DEVICE | MEMORY | NO_NOWAIT) {
            0 => Store::Cache,
            flags if flags & DEVICE != 0 => Store::Device,
            flags if flags & MEMORY != 0 => Store::Memory,
            _ => Store::Slow,
        }
    }

    /// Whether the number is the runtime's own.
    pub(crate) fn is_own(&self) -> bool {
        self.has(OWN)
    }

    /// Says that the number is the runtime's own. Nothing is known of it yet.
    pub(crate) fn set_own(&self) {
        self.kind.store(Kind::Unknown as u8, Ordering::Relaxed);
        self.flags.store(OWN, Ordering::Release);
    }

    /// Nothing is known any more.
    fn forget(&self) {
        self.kind.store(Kind::Unknown as u8, Ordering::Relaxed);
        self.flags.store(0, Ordering::Relaxed);
        self.cached.forget();
    }

    fn has(&self, flag: u8) -> bool {
        self.flags.load(Ordering::Relaxed) & flag != 0
    }

    fn set(&self, flag: u8) {
        self.flags.fetch_or(flag, Ordering::Relaxed);
    }

    fn unset(&self, flag: u8) {
        self.flags.fetch_and(!flag, Ordering::Relaxed);
    }
}

/// The kind of a descriptor; looked up with fstat(2) when not known.
pub(crate) fn kind(fd: i32) -> Kind {
    let known = entry(fd).map_or(Kind::Unknown, Entry::kind);
    if known != Kind::Unknown {
        return known;
    }
    look_up(fd)
}

/// Asks the kernel for the kind, and remembers it.
#[cold]
pub(crate) fn look_up(fd: i32) -> Kind {
    // SAFETY: zero is a valid stat buffer, and the kernel fills it.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    if unsafe { sys!(SYS_fstat, fd, &mut st) }.is_err() {
        return Kind::Unknown;
    }
    let kind = match st.st_mode & libc::S_IFMT {
        libc::S_IFSOCK => Kind::Socket,
        libc::S_IFIFO => Kind::Pipe,
        libc::S_IFREG | libc::S_IFBLK => Kind::Regular,
        libc::S_IFCHR => Kind::Device,
        0 => Kind::Anonymous,
        _ => Kind::Other,
    };
    if let Some(e) = entry(fd) {
        touch(fd);
        if kind == Kind::Regular && waits_for_device(fd) {
            e.set(DEVICE);
        }
        e.kind.store(kind as u8, Ordering::Relaxed);
    }
    kind
}

fn waits_for_device(fd: i32) -> bool {
    // SAFETY: reads flags.
    let flags = unsafe { sys!(SYS_fcntl, fd, libc::F_GETFL) }.unwrap_or(0);
    #[allow(clippy::cast_sign_loss)]
    let which = (libc::O_DIRECT | libc::O_SYNC | libc::O_DSYNC) as usize;
    flags & which != 0
}

/// The program may have changed a regular file's O_DIRECT: asked again by the next call.
pub(crate) fn look_again(fd: i32) {
    if let Some(e) = entry(fd).filter(|e| e.kind() == Kind::Regular) {
        e.unset(DEVICE);
        e.kind.store(Kind::Unknown as u8, Ordering::Relaxed);
    }
}

/// What calls on a regular file wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Store {
    /// The disk, unless the page cache has it, which `RWF_NOWAIT` tells.
    Cache,
    /// The same, but the file system does not know `RWF_NOWAIT`.
    Slow,
    /// Nothing: it is in memory, or made up by the kernel.
    Memory,
    /// The device, whatever is cached.
    Device,
}

/// What calls on a regular file wait for, as far as is known. The kind has been looked up.
pub(crate) fn store(fd: i32) -> Store {
    entry(fd).map_or(Store::Cache, Entry::store)
}

/// The file has turned out not to know `RWF_NOWAIT`: looks what file system it is on, and remembers that.
#[cold]
pub(crate) fn store_without_nowait(fd: i32) -> Store {
    const IN_MEMORY: [i64; 11] = [
        libc::TMPFS_MAGIC,
        libc::PROC_SUPER_MAGIC,
        libc::SYSFS_MAGIC,
        libc::CGROUP_SUPER_MAGIC,
        libc::CGROUP2_SUPER_MAGIC,
        libc::HUGETLBFS_MAGIC,
        libc::DEBUGFS_MAGIC,
        libc::SECURITYFS_MAGIC,
        libc::SELINUX_MAGIC,
        /* ramfs, in whatever the kernel unpacked at its start */ 0x8584_58f6,
        /* configfs */ 0x6265_6570,
    ];
    // SAFETY: zero is a valid buffer, and the kernel fills it.
    let mut fs: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    let known = unsafe { sys!(SYS_fstatfs, fd, &mut fs) }.is_ok();
    let memory = known && IN_MEMORY.contains(&(fs.f_type as i64));
    if let Some(e) = entry(fd) {
        e.set(if memory { MEMORY } else { NO_NOWAIT });
    }
    if memory {
        Store::Memory
    } else {
        Store::Slow
    }
}

/// Something is known of the number from now on.
pub(crate) fn touch(fd: i32) {
    if fd > HIGHEST.load(Ordering::Relaxed) {
        HIGHEST.fetch_max(fd, Ordering::AcqRel);
    }
}

/// No number above this is known of.
pub(crate) fn highest() -> i32 {
    HIGHEST.load(Ordering::Acquire)
}

/// The number is about to mean another file, or none: forgets what was known. Gives the old generation and how many calls wait on it.
///
/// Called *before* the kernel is asked to close or replace it, and [`changed`] after, on the same thread and without a wait in between: who begins to use the
/// number meanwhile, or to close it, waits until it is known which file that is. (Who changes several begins with the lowest.)
pub(crate) fn change(fd: i32) -> (u32, u32) {
    let Some(e) = entry(fd) else { return (0, 0) };
    let old = e.begin_change(true).unwrap_or_default();
    e.forget();
    old
}

/// As [`change`], if nobody waits on the number; else false, and nothing is forgotten.
pub(crate) fn change_idle(fd: i32) -> bool {
    let Some(e) = entry(fd) else { return true };
    // One step: a waiter counts itself in before it, and is seen, or after it, and finds that it came too late.
    let begun = e.begin_change(false).is_some();
    if begun {
        e.forget();
    }
    begun
}

/// A number of the runtime's own is about to be another's. Nobody waits on it by this name.
pub(crate) fn give_up_own(fd: i32) {
    guard::note(fd, false);
    if let Some(e) = entry(fd) {
        e.forget();
        e.state.fetch_add(CHANGING << 1, Ordering::AcqRel);
    }
}

/// The number means what it will mean.
pub(crate) fn changed(fd: i32) {
    if let Some(e) = entry(fd) {
        e.state.fetch_and(!CHANGING, Ordering::AcqRel);
    }
}

/// Whether calls wait on the number.
pub(crate) fn has_waiters(fd: i32) -> bool {
    entry(fd).is_some_and(|e| e.state.load(Ordering::Acquire) & WAITERS != 0)
}

/// Records a socket or a pipe's end that this process has just made: nobody else can change its description.
pub(crate) fn made(fd: i32, kind: Kind, waits: Waits) {
    if let Some(e) = entry(fd) {
        touch(fd);
        e.kind.store(kind as u8, Ordering::Relaxed);
        match waits {
            Waits::Never => e.state.fetch_or(NONBLOCKING, Ordering::Relaxed),
            _ => e.state.fetch_and(!NONBLOCKING, Ordering::Relaxed),
        };
        let plain = if waits == Waits::Plainly { PLAIN } else { 0 };
        e.flags.store(OURS | plain, Ordering::Relaxed);
    }
}

/// The description's flags or time-outs may change from now on: ask the kernel every time.
pub(crate) fn not_plain(fd: i32) {
    if let Some(e) = entry(fd) {
        e.unset(PLAIN | OURS);
    }
}

/// The program sets a description's flags, O_NONBLOCK among them or not, by `set`. What is known of it stays known if it is nobody else's: others who could
/// change them have made it [`not_plain`] first, which is for good.
pub(crate) fn set_flags(fd: i32, nonblocking: bool, set: impl FnOnce() -> SysResult) -> SysResult {
    /// Of two that set flags at once the latter is the one that is remembered, too.
    static SETTING: Spin<()> = Spin::new(());
    let Some(e) = entry(fd).filter(|e| e.has(OURS)) else {
        look_again(fd);
        return set();
    };
    let _setting = SETTING.lock();
    let generation = e.generation();
    e.unset(PLAIN);
    let _ = e.update(generation, |state| state & !NONBLOCKING);
    let done = set()?;
    if nonblocking {
        // Not if the number is another file's by now.
        let _ = e.update(generation, |state| state | NONBLOCKING);
    }
    Ok(done)
}

/// Known, without asking the kernel, to have O_NONBLOCK by the program's will.
#[inline]
pub(crate) fn is_nonblocking(fd: i32) -> bool {
    entry(fd).is_some_and(|e| e.state.load(Ordering::Relaxed) & NONBLOCKING != 0 && e.has(OURS))
        && SHARED_AT.load(Ordering::Relaxed) == 0
}

/// Known, without asking the kernel, to be blocking and without time-outs.
pub(crate) fn is_plain(fd: i32) -> bool {
    entry(fd).is_some_and(|e| e.has(PLAIN)) && SHARED_AT.load(Ordering::Relaxed) == 0
}

/// Known to be of a description that no other number and no other process has.
pub(crate) fn is_ours_alone(fd: i32) -> bool {
    entry(fd).is_some_and(|e| e.has(OURS)) && SHARED_AT.load(Ordering::Relaxed) == 0
}

/// Set once descriptions may be shared with another process (a fork): from then on nothing is known without asking.
static SHARED_AT: AtomicU32 = AtomicU32::new(0);

/// Another process shares our descriptions from now on.
pub(crate) fn shared() {
    SHARED_AT.store(1, Ordering::Relaxed);
}

/// Whether the program set O_NONBLOCK on the descriptor.
pub(crate) fn nonblocking(fd: i32) -> bool {
    if is_nonblocking(fd) {
        return true;
    }
    // SAFETY: reads flags.
    let flags = unsafe { sys!(SYS_fcntl, fd, libc::F_GETFL) }.unwrap_or(0);
    flags & libc::O_NONBLOCK as usize != 0 && !hidden_nonblock(fd)
}

/// O_NONBLOCK is set on this number by us for the moment.
pub(crate) fn hidden_nonblock(fd: i32) -> bool {
    entry(fd).is_some_and(|e| e.has(HIDDEN_NONBLOCK))
}

/// Sets O_NONBLOCK on a description for the time of one call, hidden from the program; restores it when dropped.
#[derive(Debug)]
pub(crate) struct NonblockingFor {
    fd: i32,
    generation: u32,
}

/// Numbers on which O_NONBLOCK is set by us for the moment, and by how many calls: the first sets it and the last restores the flags.
static HIDING: Mutex<Vec<Hiding>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Hiding {
    fd: i32,
    flags: usize,
    calls: usize,
}

impl NonblockingFor {
    /// `None` when the program itself has set the flag, or the descriptor is bad.
    pub(crate) fn set(fd: i32) -> Option<Self> {
        let entry = entry(fd)?;
        let generation = entry.settled_generation();
        let mut hiding = lock(&HIDING);
        if let Some(other) = hiding.iter_mut().find(|h| h.fd == fd) {
            other.calls += 1;
            return Some(Self { fd, generation });
        }
        // SAFETY: reads and sets flags.
        let flags = unsafe { sys!(SYS_fcntl, fd, libc::F_GETFL) }.ok()?;
        if flags & libc::O_NONBLOCK as usize != 0 {
            return None;
        }
        entry.set(HIDDEN_NONBLOCK);
        // SAFETY: as above.
        let _ = unsafe {
            sys!(
                SYS_fcntl,
                fd,
                libc::F_SETFL,
                flags | libc::O_NONBLOCK as usize
            )
        };
        hiding.push(Hiding {
            fd,
            flags,
            calls: 1,
        });
        Some(Self { fd, generation })
    }
}

impl Drop for NonblockingFor {
    fn drop(&mut self) {
        let mut hiding = lock(&HIDING);
        let Some(at) = hiding.iter().position(|h| h.fd == self.fd) else {
            return;
        };
        hiding[at].calls -= 1;
        if hiding[at].calls > 0 {
            return;
        }
        let flags = hiding.swap_remove(at).flags;
        // Closed meanwhile: the number may mean another file by now.
        if let Some(e) = entry(self.fd).filter(|e| e.generation() == self.generation) {
            // SAFETY: sets flags.
            let _ = unsafe { sys!(SYS_fcntl, self.fd, libc::F_SETFL, flags) };
            e.unset(HIDDEN_NONBLOCK);
        }
    }
}

/// A socket's option that is a number.
pub(crate) fn option(fd: i32, option: i32) -> Result<i32, Errno> {
    let (mut value, mut len) = (0i32, std::mem::size_of::<i32>());
    // SAFETY: both are valid for writing.
    unsafe {
        sys!(
            SYS_getsockopt,
            fd,
            libc::SOL_SOCKET,
            option,
            &mut value,
            &mut len
        )
    }?;
    Ok(value)
}

/// Set once the program has used SO_RCVLOWAT.
static LOW_WATER: AtomicBool = AtomicBool::new(false);

/// Looks for sockets with SO_RCVLOWAT that are there already. At conversion: calls libc.
pub(crate) fn look_for_low_water() {
    let Ok(list) = std::fs::read_dir("/proc/self/fd") else {
        return has_low_water();
    };
    let mut numbers = list.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    if numbers.any(|fd| option(fd, libc::SO_RCVLOWAT).is_ok_and(|mark| mark > 1)) {
        has_low_water();
    }
}

/// The program uses SO_RCVLOWAT: from now on sockets are asked for it.
pub(crate) fn has_low_water() {
    LOW_WATER.store(true, Ordering::Relaxed);
}

/// Set once the program has shut down the receiving side of a socket that is no stream.
static SHUT: AtomicBool = AtomicBool::new(false);

/// The program shut down the receiving side of a socket that is no stream: from now on sockets are asked for that.
pub(crate) fn has_shut() {
    SHUT.store(true, Ordering::Relaxed);
}

/// Whether a blocking receive on a socket gets nothing any more. A stream says so itself; of datagrams the kernel tells a call that
/// waits that they are over, and one that does not wait that there are none.
pub(crate) fn is_shut(fd: i32) -> bool {
    SHUT.load(Ordering::Relaxed) && poll::events_now(fd, libc::POLLRDHUP) & libc::POLLRDHUP != 0
}

/// How many bytes a blocking receive on a socket waits for (SO_RCVLOWAT), if that may be more than one.
pub(crate) fn low_water(fd: i32) -> usize {
    if !LOW_WATER.load(Ordering::Relaxed) {
        return 1;
    }
    let mark = option(fd, libc::SO_RCVLOWAT).unwrap_or(1);
    usize::try_from(mark).unwrap_or(1)
}
