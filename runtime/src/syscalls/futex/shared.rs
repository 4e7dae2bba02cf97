//! Waits for futexes that other processes may share. They are the kernel's, which alone knows who waits in all processes; io_uring waits
//! in its queue without a thread for each (`IORING_OP_FUTEX_WAIT` and `IORING_OP_FUTEX_WAITV`, Linux 6.7), exactly as futex(2) does: the
//! word is compared when the wait is queued, one wake-up is one completion, and a requeue moves it.
//!
//! A ring's requests belong to the thread that submitted them: its end takes them back, and only it can end them. Hubs change threads,
//! and a thread can be stuck in a call. So a *server* has the ring, a bare thread that does nothing else, for up to [`MOST`] waits. It
//! starts with the first of them; when all servers are full, the next starts. It has a descriptor table of its own, with the ring and
//! the hubs' bells in it and nothing else: the program's has no number more.
//!
//! Protocol. A task puts an order into its server's list and rings the bell, a word on which the server waits in its own ring:
//!
//! ```text
//!   task: push the order; bell 0 → 1? wake       server: bell = 0; take the orders; wait for the bell to be other than 0
//! ```
//!
//! Either the server takes the order or it finds the bell rung. A time-out or a signal is the order to take the wait back. Its answer is
//! awaited: if a wake-up came first, that is the result, so none is lost. There are never more requests than there is room for their
//! completions.
//!
//! Ownership. The request is shared by the future and the server. Its task's pointer is taken, under the request's lock, by whichever comes
//! first: the server, which wakes the task, or the future's drop, after which nobody wakes.

use super::multiple::Word;
use crate::future::{until, Woken};
use crate::hub;
use crate::hub::world::Section;
use crate::signal;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task::{lock, Task};
use crate::uring::{Ring, Submission};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

/// How many requests are submitted at once.
const BATCH: u32 = 256;
/// For how many completions there is room.
const COMPLETIONS: u32 = 16_384;
/// The most waits of one server. All may end at once, while a batch of others is being taken back, and the bell rings.
const MOST: usize = (COMPLETIONS - 2 * BATCH) as usize;

/// Whose a completion is: the bell's, a request to take one back, or else a wait's, by its address.
const BELL: u64 = 0;
const TAKEN_BACK: u64 = 1;

/// futex2's flags: 32 bits, and no other process's.
const SIZE_U32: i32 = 2;
const PRIVATE: i32 = libc::FUTEX_PRIVATE_FLAG;

/// What a task waits for.
#[derive(Debug)]
pub(super) enum What {
    /// A word, to be woken with any of the bits.
    One {
        address: usize,
        expected: u32,
        bits: u32,
    },
    /// Any of several words.
    Many(Box<[Word]>),
}

#[derive(Debug)]
struct Request {
    what: What,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    task: Option<&'static Task>,
    result: Option<SysResult>,
}

impl Request {
    fn end(&self, result: SysResult) {
        let mut state = lock(&self.state);
        state.result = Some(result);
        if let Some(task) = state.task.take() {
            task.wake();
        }
    }

    fn result(&self) -> Option<SysResult> {
        lock(&self.state).result
    }
}

#[derive(Debug)]
enum Order {
    Begin(Arc<Request>),
    TakeBack(Arc<Request>),
}

#[derive(Debug)]
struct Server {
    /// `None`: it could not start.
    orders: Mutex<Option<Vec<Order>>>,
    /// 1: there may be orders that the server has not seen.
    bell: AtomicU32,
    /// How many waits it has or is about to get.
    waits: AtomicUsize,
    /// A thread has become this server.
    has_thread: AtomicBool,
}

static SERVERS: Mutex<Vec<&'static Server>> = Mutex::new(Vec::new());
/// Why the kernel has no such thing, as an error number; 0: it has, or that is not known yet.
static MISSING: AtomicI32 = AtomicI32::new(0);

/// A server with room for one more wait, which is counted.
fn server() -> Option<&'static Server> {
    let server = {
        let mut servers = lock(&SERVERS);
        let has_room = |s: &&&Server| s.waits.load(Ordering::Relaxed) < MOST;
        if let Some(server) = servers.iter().find(has_room) {
            // Counted up under the lock only.
            server.waits.fetch_add(1, Ordering::Relaxed);
            return Some(server);
        }
        let server: &'static Server = Box::leak(Box::new(Server {
            orders: Mutex::new(Some(Vec::new())),
            bell: AtomicU32::new(0),
            waits: AtomicUsize::new(1),
            has_thread: AtomicBool::new(false),
        }));
        servers.push(server);
        server
    };
    if crate::thread::spawn(serve).is_err() {
        server.refuse();
        return None;
    }
    Some(server)
}

/// A server's thread.
fn serve() -> ! {
    signal::block_in_hub();
    let inside = Section::enter();
    let started = lock(&SERVERS)
        .iter()
        .copied()
        .find(|s| !s.has_thread.swap(true, Ordering::Relaxed));
    let Some(server) = started else {
        // It was refused for another's sake.
        end(inside)
    };
    let ring = Ring::default();
    if let Err(Errno(e)) = open(&ring) {
        // What the process lacks now it may have later.
        if ![libc::ENOMEM, libc::EMFILE, libc::ENFILE].contains(&e) {
            MISSING.store(e, Ordering::Relaxed);
        }
        server.refuse();
        end(inside)
    }
    server.work(&ring, inside)
}

fn end(inside: Section) -> ! {
    crate::everywhere::withdraw();
    drop(inside);
    crate::thread::end()
}

fn open(ring: &Ring) -> Result<(), Errno> {
    let mut bells: Vec<_> = hub::all().iter().map(|hub| hub.bell_number()).collect();
    bells.sort_unstable();
    let (mut from, mut unshare) = (0, libc::CLOSE_RANGE_UNSHARE);
    for bell in bells.into_iter().chain([i32::MAX]) {
        if from < bell {
            // SAFETY: the first of these calls makes the thread's table its own; then nobody else uses what is closed.
            unsafe { sys!(SYS_close_range, from, bell - 1, unshare) }?;
            unshare = 0;
        }
        from = bell.saturating_add(1);
    }
    ring.open_for_futexes(BATCH, COMPLETIONS)
}

impl Server {
    /// Gives the server an order. False if there is no such server.
    fn order(&self, order: Order) -> bool {
        let mut orders = lock(&self.orders);
        let Some(list) = &mut *orders else {
            return false;
        };
        list.push(order);
        drop(orders);
        if self.bell.swap(1, Ordering::SeqCst) == 0 {
            sys::futex_wake(&self.bell, 1);
        }
        true
    }

    /// The server is none: it is taken off the list, and what was ordered is refused.
    fn refuse(&self) {
        lock(&SERVERS).retain(|s| !std::ptr::eq(*s, self));
        let orders = lock(&self.orders).take();
        for order in orders.into_iter().flatten() {
            if let Order::Begin(request) = order {
                request.end(Err(Errno::NOMEM));
            }
        }
    }

    /// The thread's work, for ever. It is inside the runtime except while it waits.
    fn work(&'static self, ring: &Ring, mut inside: Section) -> ! {
        let mut hears_bell = false;
        loop {
            self.bell.swap(0, Ordering::SeqCst);
            let orders = lock(&self.orders).replace(Vec::new());
            for order in orders.into_iter().flatten() {
                while ring.is_full() {
                    submit(ring, 0);
                    self.reap(ring, &mut hears_bell);
                }
                match order {
                    Order::Begin(request) => ring.push(request.begin()),
                    // As long as the order is here, no other request has its address. What is submitted later comes later.
                    Order::TakeBack(request) if request.result().is_none() => {
                        let whose = Arc::as_ptr(&request) as u64;
                        ring.push(Submission::cancel(TAKEN_BACK, whose));
                    }
                    Order::TakeBack(_) => {}
                }
            }
            while ring.is_full() {
                submit(ring, 0);
                self.reap(ring, &mut hears_bell);
            }
            if !hears_bell {
                let bell = self.bell.as_ptr() as usize;
                ring.push(Submission::futex_wait(
                    BELL,
                    bell,
                    0,
                    u32::MAX,
                    SIZE_U32 | PRIVATE,
                ));
                hears_bell = true;
            }
            drop(inside);
            submit(ring, 1);
            inside = Section::enter();
            self.reap(ring, &mut hears_bell);
        }
    }

    fn reap(&self, ring: &Ring, hears_bell: &mut bool) {
        while let Some((whose, result)) = ring.pop() {
            match whose {
                BELL => *hears_bell = false,
                TAKEN_BACK => {}
                request => {
                    // SAFETY: `begin` gave the request's address away, and it completes once.
                    let request = unsafe { Arc::from_raw(request as *const Request) };
                    request.end(result);
                    self.waits.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
    }
}

/// Submits what there is, and waits for so many completions.
fn submit(ring: &Ring, wait_for: u32) {
    if ring.enter(wait_for).is_err() {
        // The kernel is out of memory: what is there is submitted again.
        // SAFETY: the time is valid.
        let _ = unsafe { sys!(SYS_nanosleep, &super::super::time::timespec(1_000_000), 0) };
    }
}

impl Request {
    /// The request as the kernel takes it; its completion gets the reference back.
    fn begin(self: Arc<Self>) -> Submission {
        let whose = Arc::into_raw(self);
        // SAFETY: the reference lives until the completion.
        match unsafe { &(*whose).what } {
            What::One {
                address,
                expected,
                bits,
            } => Submission::futex_wait(whose as u64, *address, *expected, *bits, SIZE_U32),
            #[allow(clippy::cast_possible_truncation)] // 128 at most
            What::Many(words) => {
                Submission::futex_waitv(whose as u64, words.as_ptr() as usize, words.len() as u32)
            }
        }
    }
}

/// A wait in the kernel's queue. `ECANCELED` if it was taken back; `ENOMEM` if there is none to be had after all.
#[derive(Debug)]
pub(super) struct Waiting {
    request: Arc<Request>,
    server: &'static Server,
    taken_back: bool,
}

impl Waiting {
    /// `None`: it is not to be had here.
    pub(super) fn begin(task: &'static Task, what: What) -> Option<Self> {
        // A task with an OS thread of its own waits there; and the server's, made there, would have what is that task's.
        if MISSING.load(Ordering::Relaxed) != 0 || task.hub().is_lone() {
            return None;
        }
        let server = server()?;
        let state = State {
            task: Some(task),
            result: None,
        };
        let request = Arc::new(Request {
            what,
            state: Mutex::new(state),
        });
        let begun = server.order(Order::Begin(Arc::clone(&request)));
        begun.then_some(Self {
            request,
            server,
            taken_back: false,
        })
    }

    /// Has the wait taken back. How it ended is still to be awaited.
    pub(super) fn take_back(&mut self) {
        if !self.taken_back && self.request.result().is_none() {
            let order = Order::TakeBack(Arc::clone(&self.request));
            self.taken_back = self.server.order(order);
        }
    }
}

impl Future for Waiting {
    type Output = SysResult;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<SysResult> {
        self.request.result().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.request.state).task = None;
        self.take_back();
    }
}

/// Waits for a word or several until woken, a deadline or a signal. `None`: that is not to be had here.
pub(super) async fn wait(
    task: &'static Task,
    what: What,
    deadline: u64,
) -> Option<Woken<SysResult>> {
    let Some(mut waiting) = Waiting::begin(task, what) else {
        if !task.hub().is_lone() {
            tell_once();
        }
        return None;
    };
    let ended = until(task, &mut waiting, deadline).await;
    if matches!(ended, Woken::Timeout | Woken::Signal) {
        waiting.take_back();
        let result = (&mut waiting).await;
        if result == Err(Errno::CANCELED) {
            return Some(ended);
        }
        // A wake-up came first.
        return usable(result).map(Woken::Ready);
    }
    match ended {
        Woken::Ready(result) => usable(result).map(Woken::Ready),
        ended => Some(ended),
    }
}

/// What the kernel had no room for is waited for in another way.
fn usable(result: SysResult) -> Option<SysResult> {
    (result != Err(Errno::NOMEM)).then_some(result)
}

fn tell_once() {
    static TOLD: AtomicBool = AtomicBool::new(false);
    let missing = MISSING.load(Ordering::Relaxed);
    if missing != 0 && !TOLD.swap(true, Ordering::Relaxed) {
        let e = Errno(missing);
        tracing::info!(
            "no io_uring for futexes ({e}): a task that waits for a shared one has a thread"
        );
    }
}

/// In a forked child: no servers, and no rings, which are not inherited.
pub(super) fn reset() {
    lock(&SERVERS).clear();
}
