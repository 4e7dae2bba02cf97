//! io_uring, for what has no other form: accept that cannot block, and waits for futexes that other processes may share. And a look into
//! the program's own rings.
//!
//! `IORING_ACCEPT_DONTWAIT` (Linux 6.10) makes accept answer `EAGAIN` at once, whatever the description's flags say. A hub has one
//! small ring, made at the first accept, with one request in it at a time, submitted and reaped by one call.
//!
//! `IORING_OP_FUTEX_WAIT` (Linux 6.7) waits in the kernel's own queue without a thread: `syscalls/futex/shared.rs`.

use crate::config::{self, Simulate};
use crate::hub::Hub;
use crate::own;
use crate::sys;
use crate::sys::{Errno, SysResult};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Set when the kernel has no io_uring, or none that knows the flag.
static UNAVAILABLE: AtomicBool = AtomicBool::new(false);

const OP_ACCEPT: u8 = 13;
const OP_ASYNC_CANCEL: u8 = 14;
const OP_CONNECT: u8 = 16;
const OP_FUTEX_WAIT: u8 = 51;
const OP_FUTEX_WAITV: u8 = 53;
const ACCEPT_DONTWAIT: u16 = 1 << 1;
const FEAT_SINGLE_MMAP: u32 = 1;
const ENTER_GETEVENTS: u32 = 1;
const OFFSET_SQES: usize = 0x1000_0000;
const SETUP_CQSIZE: u32 = 1 << 3;
const SETUP_SUBMIT_ALL: u32 = 1 << 7;
const SETUP_COOP_TASKRUN: u32 = 1 << 8;
const SETUP_SINGLE_ISSUER: u32 = 1 << 12;
const REGISTER_PROBE: u32 = 8;
const OP_SUPPORTED: u16 = 1;

/// The kernel's `struct io_uring_sqe`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Submission {
    opcode: u8,
    flags: u8,
    ioprio: u16,
    fd: i32,
    /// Or the second address.
    offset: u64,
    address: u64,
    count: u32,
    call_flags: u32,
    user_data: u64,
    buffer: u64,
    third_address: u64,
    rest: u64,
}

impl Submission {
    /// A wait for a word, as futex_wait(2) with the flags of futex2.
    pub(crate) fn futex_wait(
        whose: u64,
        address: usize,
        expected: u32,
        bits: u32,
        flags: i32,
    ) -> Self {
        Self {
            opcode: OP_FUTEX_WAIT,
            fd: flags,
            offset: expected.into(),
            address: address as u64,
            third_address: bits.into(),
            user_data: whose,
            ..Self::default()
        }
    }

    /// A wait for any of several words, as futex_waitv(2).
    pub(crate) fn futex_waitv(whose: u64, words: usize, count: u32) -> Self {
        Self {
            opcode: OP_FUTEX_WAITV,
            address: words as u64,
            count,
            user_data: whose,
            ..Self::default()
        }
    }

    /// Takes a request back.
    pub(crate) fn cancel(whose: u64, of: u64) -> Self {
        Self {
            opcode: OP_ASYNC_CANCEL,
            fd: -1,
            address: of,
            user_data: whose,
            ..Self::default()
        }
    }
}

/// `struct io_uring_params`.
#[repr(C)]
#[derive(Default)]
struct Parameters {
    sq_entries: u32,
    cq_entries: u32,
    flags: u32,
    sq_thread_cpu: u32,
    sq_thread_idle: u32,
    features: u32,
    wq_fd: u32,
    unused: [u32; 3],
    /// head, tail, ring_mask, ring_entries, flags, dropped, array, resv, user_addr (2)
    sq: [u32; 10],
    /// head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv, user_addr (2)
    cq: [u32; 10],
}

/// A hub's ring. Used by its thread only.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    fd: Cell<i32>,
    ring: Cell<usize>,
    sqes: Cell<usize>,
    /// A thread is in the middle of a call on it.
    busy: AtomicBool,
    sq_head: Cell<usize>,
    sq_tail: Cell<usize>,
    sq_mask: Cell<u32>,
    sq_array: Cell<usize>,
    cq_head: Cell<usize>,
    cq_tail: Cell<usize>,
    cq_mask: Cell<u32>,
    cqes: Cell<usize>,
}

impl Ring {
    fn open(&self) -> Result<(), Errno> {
        let mut p = Parameters::default();
        let fd = own::make(|| set_up(4, &mut p))?;
        self.map(fd, &p).inspect_err(|_| own::close(fd))
    }

    /// Opens a ring for waits on futexes, used by the calling thread for as long as it lives: it has descriptors of its own, and the
    /// kernel takes what a thread has asked for back when it ends.
    ///
    /// # Errors
    /// `ENOSYS` where the kernel does not know these requests, and what it answers else.
    pub(crate) fn open_for_futexes(&self, requests: u32, completions: u32) -> Result<(), Errno> {
        /// `struct io_uring_probe`.
        #[repr(C)]
        struct Probe {
            head: [u64; 2],
            /// number, reserved, flags, reserved
            operations: [[u16; 4]; 64],
        }
        let mut p = Parameters {
            cq_entries: completions,
            // The thread is in the kernel whenever it has nothing to do: no need to interrupt it with completions.
            flags: SETUP_CQSIZE | SETUP_SUBMIT_ALL | SETUP_COOP_TASKRUN | SETUP_SINGLE_ISSUER,
            ..Parameters::default()
        };
        let fd = set_up(requests, &mut p)?;
        let fd = i32::try_from(fd).map_err(|_| Errno::BADF)?;
        let mut probe = Probe {
            head: [0; 2],
            operations: [[0; 4]; 64],
        };
        // SAFETY: the probe has room for 64 operations.
        unsafe { sys!(SYS_io_uring_register, fd, REGISTER_PROBE, &mut probe, 64) }?;
        let known = |op: u8| probe.operations[usize::from(op)][1] & OP_SUPPORTED != 0;
        if !known(OP_FUTEX_WAIT) || !known(OP_FUTEX_WAITV) {
            return Err(Errno(libc::ENOSYS));
        }
        self.map(fd, &p)
    }

    /// Whether there is no room for one more request before the next [`Self::enter`].
    pub(crate) fn is_full(&self) -> bool {
        self.unsubmitted() > self.sq_mask.get()
    }

    fn unsubmitted(&self) -> u32 {
        // SAFETY: the ring is mapped, and one thread at a time uses it.
        unsafe {
            let tail = word(self.sq_tail.get()).load(Ordering::Relaxed);
            tail.wrapping_sub(word(self.sq_head.get()).load(Ordering::Acquire))
        }
    }

    fn map(&self, fd: i32, p: &Parameters) -> Result<(), Errno> {
        if p.features & FEAT_SINGLE_MMAP == 0 {
            return Err(Errno::OPNOTSUPP);
        }
        // SAFETY: the mappings are of the sizes that the kernel gave.
        unsafe {
            let size = (p.sq[6] as usize + p.sq_entries as usize * 4)
                .max(p.cq[5] as usize + p.cq_entries as usize * 16);
            let (protection, flags) = (
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_POPULATE,
            );
            let ring = sys!(SYS_mmap, 0, size, protection, flags, fd, 0)?;
            let sqes = sys!(
                SYS_mmap,
                0,
                p.sq_entries as usize * 64,
                protection,
                flags,
                fd,
                OFFSET_SQES
            )?;
            // A child must not share the ring's memory: its ring is its own.
            let _ = sys!(
                SYS_madvise,
                ring,
                size.next_multiple_of(4096),
                libc::MADV_DONTFORK
            );
            let _ = sys!(
                SYS_madvise,
                sqes,
                (p.sq_entries as usize * 64).next_multiple_of(4096),
                libc::MADV_DONTFORK
            );
            self.sqes.set(sqes);
            self.sq_head.set(ring + p.sq[0] as usize);
            self.sq_tail.set(ring + p.sq[1] as usize);
            self.sq_mask.set(*((ring + p.sq[2] as usize) as *const u32));
            self.sq_array.set(ring + p.sq[6] as usize);
            self.cq_head.set(ring + p.cq[0] as usize);
            self.cq_tail.set(ring + p.cq[1] as usize);
            self.cq_mask.set(*((ring + p.cq[2] as usize) as *const u32));
            self.cqes.set(ring + p.cq[5] as usize);
            self.ring.set(ring);
            self.fd.set(fd);
        }
        Ok(())
    }

    /// Puts a request into the queue. There is room: all that are there are submitted before the next call, or the caller has looked.
    pub(crate) fn push(&self, request: Submission) {
        // SAFETY: the ring is mapped, and one thread at a time uses it.
        unsafe {
            let tail = word(self.sq_tail.get()).load(Ordering::Relaxed);
            let slot = tail & self.sq_mask.get();
            ((self.sqes.get() + slot as usize * 64) as *mut Submission).write(request);
            ((self.sq_array.get() + slot as usize * 4) as *mut u32).write(slot);
            word(self.sq_tail.get()).store(tail.wrapping_add(1), Ordering::Release);
        }
    }

    /// Takes a completion, if there is one: whose, and its result.
    pub(crate) fn pop(&self) -> Option<(u64, SysResult)> {
        // SAFETY: as above.
        unsafe {
            let head = word(self.cq_head.get()).load(Ordering::Relaxed);
            if word(self.cq_tail.get()).load(Ordering::Acquire) == head {
                return None;
            }
            let cqe = self.cqes.get() + (head & self.cq_mask.get()) as usize * 16;
            let (whose, result) = (*(cqe as *const u64), *((cqe + 8) as *const i32));
            word(self.cq_head.get()).store(head.wrapping_add(1), Ordering::Release);
            Some((whose, sys::check(result as isize)))
        }
    }

    /// Submits what was pushed, and waits for so many completions.
    pub(crate) fn enter(&self, wait_for: u32) -> Result<(), Errno> {
        let pending = self.unsubmitted();
        // SAFETY: the ring's own call.
        match unsafe {
            sys!(
                SYS_io_uring_enter,
                self.fd.get(),
                pending,
                wait_for,
                ENTER_GETEVENTS,
                0,
                0
            )
        } {
            Ok(_) | Err(Errno::INTR | Errno::AGAIN) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Submits one request and waits for its result.
    fn call(&self, request: Submission) -> SysResult {
        self.push(request);
        loop {
            if let Some((_, result)) = self.pop() {
                return result;
            }
            self.enter(1)?;
        }
    }

    /// Submits one request. Where it would wait it is taken back: `ECANCELED`.
    fn attempt(&self, request: Submission) -> SysResult {
        const REQUEST: u64 = 1;
        const CANCEL: u64 = 2;
        self.push(Submission {
            user_data: REQUEST,
            ..request
        });
        self.enter(0)?;
        if let Some((_, result)) = self.pop() {
            return result;
        }
        self.push(Submission::cancel(CANCEL, REQUEST));
        let mut results = [None, None];
        while results.contains(&None) {
            match self.pop() {
                Some((REQUEST, result)) => results[0] = Some(result),
                Some((_, result)) => results[1] = Some(result),
                None => self.enter(1)?,
            }
        }
        results[0].unwrap_or(Err(Errno::CANCELED))
    }
}

/// io_uring_setup(2).
fn set_up(entries: u32, p: &mut Parameters) -> SysResult {
    if config::get().simulate == Simulate::NoRings {
        return Err(Errno(libc::ENOSYS));
    }
    // SAFETY: `p` is valid.
    unsafe { sys!(SYS_io_uring_setup, entries, p) }
}

/// A word of a ring.
///
/// # Safety
/// `at` is in a ring's mapping.
unsafe fn word<'a>(at: usize) -> &'a AtomicU32 {
    // SAFETY: the caller's promise.
    unsafe { &*(at as *const AtomicU32) }
}

/// A hub's ring, opened when first used, for one call. `None`: not to be had here, or in use: by a thread that was stuck in it when
/// another took its hub over.
fn with_ring<T>(hub: &Hub, f: impl FnOnce(&Ring) -> T) -> Option<T> {
    // A hub with one task can make the call itself, and wait.
    if hub.is_lone()
        || UNAVAILABLE.load(Ordering::Relaxed)
        || hub.ring.busy.swap(true, Ordering::Acquire)
    {
        return None;
    }
    if hub.ring.ring.get() == 0 {
        if let Err(e) = hub.ring.open() {
            hub.ring.busy.store(false, Ordering::Release);
            // What the process lacks now it may have later.
            if !matches!(e, Errno::NOMEM | Errno(libc::EMFILE | libc::ENFILE)) {
                tracing::info!("no io_uring ({e}): accept goes through the pool");
                UNAVAILABLE.store(true, Ordering::Relaxed);
            }
            return None;
        }
    }
    let result = f(&hub.ring);
    hub.ring.busy.store(false, Ordering::Release);
    Some(result)
}

/// connect(2) that does not wait: `EINPROGRESS` if it would. `None`: not to be had here. Not for Unix sockets, which cannot be polled
/// for room in a backlog.
pub(crate) fn connect(hub: &Hub, fd: i32, address: usize, length: usize) -> Option<SysResult> {
    let request = Submission {
        opcode: OP_CONNECT,
        fd,
        offset: length as u64,
        address: address as u64,
        ..Submission::default()
    };
    match with_ring(hub, |ring| ring.attempt(request))? {
        Err(Errno::CANCELED) => Some(Err(Errno::INPROGRESS)),
        result => Some(result),
    }
}

/// accept4(2) that does not wait. `None`: not to be had here.
pub(crate) fn accept(
    hub: &Hub,
    fd: i32,
    address: usize,
    length: usize,
    flags: i32,
) -> Option<SysResult> {
    #[allow(clippy::cast_sign_loss)]
    let request = Submission {
        opcode: OP_ACCEPT,
        ioprio: ACCEPT_DONTWAIT,
        fd,
        address: address as u64,
        offset: length as u64,
        call_flags: flags as u32,
        ..Submission::default()
    };
    match with_ring(hub, |ring| ring.call(request))? {
        Err(Errno::INVAL) => {
            // Either the flag is unknown (before Linux 6.10) or the socket does not listen: the real call will tell.
            if !probe(hub) {
                UNAVAILABLE.store(true, Ordering::Relaxed);
            }
            None
        }
        result => Some(result),
    }
}

/// Whether the kernel knows the flag: with a bad descriptor it then says `EBADF`, and not `EINVAL`.
fn probe(hub: &Hub) -> bool {
    let request = Submission {
        opcode: OP_ACCEPT,
        ioprio: ACCEPT_DONTWAIT,
        fd: -1,
        ..Submission::default()
    };
    with_ring(hub, |ring| ring.call(request)) == Some(Err(Errno::BADF))
}

/// Where the completions' head, tail and number are in any ring's memory: the kernel says it of each, and it is the same for all.
static OFFSETS: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

/// How many completions wait in a ring of the program's to be taken, and how many there can be. `None`: that cannot be seen.
pub(crate) fn completions(ring: i32) -> Option<(u32, u32)> {
    /// The head is in the first page.
    const SEEN: usize = 4096;
    if OFFSETS[1].load(Ordering::Relaxed) == 0 {
        let mut p = Parameters::default();
        // SAFETY: makes a ring of our own, and closes it.
        unsafe {
            let own = sys!(SYS_io_uring_setup, 1, &mut p).ok()?;
            let _ = sys!(SYS_close, own);
        }
        for (offset, at) in OFFSETS.iter().zip([p.cq[0], p.cq[1], p.cq[3]]) {
            offset.store(at, Ordering::Relaxed);
        }
    }
    let offsets = [0, 1, 2].map(|i| OFFSETS[i].load(Ordering::Relaxed) as usize);
    if offsets.iter().any(|at| at + 4 > SEEN) {
        return None;
    }
    // SAFETY: maps the ring's first page; a ring whose memory is the program's own refuses.
    let ring = unsafe {
        sys!(
            SYS_mmap,
            0,
            SEEN,
            libc::PROT_READ,
            libc::MAP_SHARED,
            ring,
            0
        )
    }
    .ok()?;
    // SAFETY: mapped, and the kernel's words are there.
    let [head, tail, entries] =
        offsets.map(|at| unsafe { &*((ring + at) as *const AtomicU32) }.load(Ordering::Acquire));
    // SAFETY: our own mapping.
    let _ = unsafe { sys!(SYS_munmap, ring, SEEN) };
    Some((tail.wrapping_sub(head), entries))
}
