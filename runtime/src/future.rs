//! Parked calls: futures without wakers.
//!
//! A handler is an `async fn`. Its future is built in a buffer of the hub's and polled once, on the hub's stack. Most calls
//! end there: the buffer is used again, nothing was allocated. A call that must wait is *parked*: its buffer goes to the task
//! as it is, and the hub takes another. When somebody wakes the task, its hub polls the future again, which looks at what it
//! waits for (every wake-up is a hint). Dropping the future takes it off every wait queue, so no stale waiter is possible.
//!
//! There is no [`std::task::Waker`] in this: a leaf future knows its task, and wakes are [`Task::wake`].

use crate::hub::{Hub, Timer};
use crate::sys::SysResult;
use crate::task::Task;
use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

/// A call in progress: a future somewhere in memory, and how to treat it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parked {
    future: NonNull<u8>,
    how: &'static How,
}

#[derive(Debug)]
struct How {
    poll: unsafe fn(*mut u8) -> Poll<SysResult>,
    drop: unsafe fn(*mut u8),
    layout: Layout,
}

struct Vtable<F>(std::marker::PhantomData<F>);

impl<F: Future<Output = SysResult>> Vtable<F> {
    const HOW: How = How {
        poll: Self::poll,
        drop: Self::drop,
        layout: Layout::new::<F>(),
    };

    /// # Safety
    /// `future` is a live `F` that stays where it is until it is dropped.
    unsafe fn poll(future: *mut u8) -> Poll<SysResult> {
        // SAFETY: the caller's promise.
        let future = unsafe { Pin::new_unchecked(&mut *future.cast::<F>()) };
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// # Safety
    /// `future` is a live `F`, not used after this.
    unsafe fn drop(future: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { future.cast::<F>().drop_in_place() }
    }
}

/// Starts a call: polls its future once. `Ok` if it ended, else the parked call.
pub(crate) fn start<F: Future<Output = SysResult>>(
    hub: &Hub,
    future: F,
) -> Result<SysResult, Parked> {
    let place = hub.buffers().take(Layout::new::<F>());
    // SAFETY: the buffer has F's layout and is ours alone; the future stays in it until dropped below or by `Parked`.
    unsafe {
        place.as_ptr().cast::<F>().write(future);
        match Vtable::<F>::poll(place.as_ptr()) {
            Poll::Ready(result) => {
                Vtable::<F>::drop(place.as_ptr());
                hub.buffers().give(place, Layout::new::<F>());
                Ok(result)
            }
            Poll::Pending => Err(Parked {
                future: place,
                how: &Vtable::<F>::HOW,
            }),
        }
    }
}

impl Parked {
    /// Polls the parked call on its hub's thread.
    pub(crate) fn poll(&self) -> Poll<SysResult> {
        // SAFETY: `start` put the future there, and `finish` takes `self`'s task's only copy.
        unsafe { (self.how.poll)(self.future.as_ptr()) }
    }

    /// Drops the future, ended or not, and gives its buffer back to the hub. The caller makes no use of a copy after this.
    pub(crate) fn finish(self, hub: &Hub) {
        // SAFETY: as for `poll`; this is the one place where a parked future is dropped.
        unsafe { (self.how.drop)(self.future.as_ptr()) };
        hub.buffers().give(self.future, self.how.layout);
    }
}

/// Buffers for futures, by size class, of one hub. A task ends its call on the hub where it began it.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    free: UnsafeCell<[Vec<NonNull<u8>>; CLASSES.len()]>,
}

/// Futures above the last class get memory of their own.
const CLASSES: [usize; 7] = [256, 384, 512, 768, 1024, 1536, 2048];
const ALIGN: usize = 64;
/// How many unused buffers of a class are kept.
const KEEP: usize = 4096;

impl Buffers {
    fn class(layout: Layout) -> Option<usize> {
        (layout.align() <= ALIGN)
            .then(|| CLASSES.iter().position(|c| layout.size() <= *c))
            .flatten()
    }

    fn buffer(layout: Layout) -> Layout {
        let size = Self::class(layout).map_or(layout.size(), |c| CLASSES[c]);
        Layout::from_size_align(size.max(1), layout.align().max(ALIGN)).expect("a future's layout")
    }

    fn take(&self, layout: Layout) -> NonNull<u8> {
        if let Some(class) = Self::class(layout) {
            // SAFETY: only the hub's own thread comes here, and no reference outlives the statement.
            if let Some(buffer) = unsafe { (&mut *self.free.get())[class].pop() } {
                return buffer;
            }
        }
        let layout = Self::buffer(layout);
        // SAFETY: the layout's size is not zero.
        let buffer = unsafe { std::alloc::alloc(layout) };
        NonNull::new(buffer).unwrap_or_else(|| std::alloc::handle_alloc_error(layout))
    }

    fn give(&self, buffer: NonNull<u8>, layout: Layout) {
        if let Some(class) = Self::class(layout) {
            // SAFETY: as in `take`.
            let free = unsafe { &mut (&mut *self.free.get())[class] };
            if free.len() < KEEP {
                return free.push(buffer);
            }
        }
        // SAFETY: `take` allocated it with this layout.
        unsafe { std::alloc::dealloc(buffer.as_ptr(), Self::buffer(layout)) };
    }
}

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Woken<T> {
    /// What was waited for came.
    Ready(T),
    /// The deadline passed first.
    Timeout,
    /// A signal with a handler came first.
    Signal,
}

/// Waits for `event` until a deadline passes or a signal asks for its handler.
///
/// `deadline` is in nanoseconds of CLOCK_MONOTONIC; `u64::MAX` for none.
pub(crate) async fn until<F: Future>(
    task: &'static Task,
    event: F,
    deadline: u64,
) -> Woken<F::Output> {
    let mut event = std::pin::pin!(event);
    let timer = Timer::new(task, deadline);
    let mut timer = std::pin::pin!(timer);
    std::future::poll_fn(move |cx| {
        if let Poll::Ready(value) = event.as_mut().poll(cx) {
            return Poll::Ready(Woken::Ready(value));
        }
        if crate::signal::interrupts(task) {
            return Poll::Ready(Woken::Signal);
        }
        timer.as_mut().poll(cx).map(|()| Woken::Timeout)
    })
    .await
}

/// Waits until a deadline or a signal: the event that never comes.
pub(crate) async fn sleep_until(task: &'static Task, deadline: u64) -> Woken<()> {
    until(task, std::future::pending(), deadline).await
}
