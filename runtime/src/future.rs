//! Parked calls: futures without wakers.
//!
//! A handler is an `async fn`. Its future is built in a buffer of the hub's and polled once, on the hub's stack. Most calls
//! end there: the buffer is used again, nothing was allocated. A call that must wait is *parked*: its buffer goes to the task
//! as it is, and the hub takes another. When somebody wakes the task, its hub polls the future again, which looks at what it
//! waits for (every wake-up is a hint). Dropping the future takes it off every wait queue, so no stale waiter is possible.
//!
//! When there is no memory for another buffer ([`heap::is_scarce`]) the future is built on the task's own stack, below its red zone, where nothing is until
//! the call is over: a signal's frame is laid there after the future is dropped. Only on the stack that the thread was made with: a program
//! that switches stacks by itself may have made them too small for that.
//!
//! There is no [`std::task::Waker`] in this: a leaf future knows its task, and wakes are [`Task::wake`].

use crate::heap;
use crate::hub::{Hub, Timer};
use crate::signal::frame::RED_ZONE;
use crate::sys::{Errno, SysResult};
use crate::task::Task;
use crate::user;
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
    /// Of its buffer; none on the task's stack.
    room: Option<Room>,
}

struct Vtable<F>(std::marker::PhantomData<F>);

impl<F: Future<Output = SysResult>> Vtable<F> {
    const HOW: How = How {
        poll: Self::poll,
        drop: Self::drop,
        room: Some(Room::of(Layout::new::<F>())),
    };
    const HOW_ON_STACK: How = How {
        room: None,
        ..Self::HOW
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

/// What a call does when there is no memory to wait in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Without {
    /// Waits on the task's stack, or fails.
    Stack,
    /// Takes of the reserve: it goes on elsewhere meanwhile, perhaps on that very stack, and cannot be given up.
    Reserve,
}

/// Where a future is put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Buffer,
    Stack,
    /// The hub's spare buffer: not to be parked in.
    Spare,
}

/// Starts a call of a task's: polls its future once. `Ok` if it ended, else the parked call.
pub(crate) fn start<F: Future<Output = SysResult>>(
    task: &'static Task,
    future: F,
    without: Without,
) -> Result<SysResult, Parked> {
    let room = const { Room::of(Layout::new::<F>()) };
    let found = match task.hub().buffers().take(room) {
        Some(at) => Some((at, Place::Buffer)),
        None => place_without_memory(task, room, without),
    };
    let Some((at, place)) = found else {
        return Ok(Err(Errno::NOMEM));
    };
    // SAFETY: the place has F's layout and is ours alone; the future stays in it until dropped below or by `Parked`.
    let polled = unsafe {
        at.as_ptr().cast::<F>().write(future);
        Vtable::<F>::poll(at.as_ptr())
    };
    if polled.is_pending() && place != Place::Spare {
        let how = match place {
            Place::Stack => &Vtable::<F>::HOW_ON_STACK,
            _ => &Vtable::<F>::HOW,
        };
        return Err(Parked { future: at, how });
    }
    // SAFETY: as above; this takes it off every wait queue.
    unsafe { Vtable::<F>::drop(at.as_ptr()) };
    if place == Place::Buffer {
        task.hub().buffers().give(at, room);
    }
    match polled {
        Poll::Ready(result) => Ok(result),
        // There is no memory to wait in.
        Poll::Pending => Ok(Err(Errno::NOMEM)),
    }
}

#[cold]
fn place_without_memory(task: &Task, room: Room, without: Without) -> Option<(NonNull<u8>, Place)> {
    if without == Without::Reserve {
        return Some((Buffers::make_in_any_case(room), Place::Buffer));
    }
    match below_stack(task, room) {
        Some(at) => Some((at, Place::Stack)),
        None => Some((task.hub().buffers().spare(room)?, Place::Spare)),
    }
}

/// Room below what a parked task has on its stack. Nothing can be there that the program still wants, and it can be written.
fn below_stack(task: &Task, room: Room) -> Option<NonNull<u8>> {
    static ZEROS: [u8; CLASSES[CLASSES.len() - 1]] = [0; CLASSES[CLASSES.len() - 1]];
    if heap::is_low() || room.class == CLASSES.len() {
        return None;
    }
    let top = task.context().regs.rsp as usize;
    let at = top.checked_sub(RED_ZONE as usize + room.size)? & !(room.align - 1);
    if !task.has_below(top, at) {
        return None;
    }
    // SAFETY: as many bytes as the largest class; a guard page there is an error.
    unsafe { user::write_bytes(at, ZEROS.as_ptr(), room.size) }.ok()?;
    NonNull::new(at as *mut u8)
}

impl Parked {
    /// Polls the parked call on its hub's thread.
    pub(crate) fn poll(&self) -> Poll<SysResult> {
        // SAFETY: `start` put the future there, and `finish` takes `self`'s task's only copy.
        unsafe { (self.how.poll)(self.future.as_ptr()) }
    }

    /// Where the future is.
    pub(crate) fn place(&self) -> *const u8 {
        self.future.as_ptr()
    }

    /// Drops the future, ended or not, which takes it off every wait queue, and gives its buffer back to the hub. The caller makes no use of a copy after this.
    pub(crate) fn finish(self, hub: &Hub) {
        // SAFETY: as for `poll`; this is the one place where a parked future is dropped.
        unsafe { (self.how.drop)(self.future.as_ptr()) };
        if let Some(room) = self.how.room {
            hub.buffers().give(self.future, room);
        }
    }
}

/// Buffers for futures, by size class, of one hub. A task ends its call on the hub where it began it.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    free: UnsafeCell<[Vec<NonNull<u8>>; CLASSES.len()]>,
    spare: UnsafeCell<Spare>,
}

/// Where a call is tried when there is no memory for its future: it may end at once.
#[repr(align(64))]
#[derive(Debug)]
struct Spare {
    _bytes: [u8; 2048],
}

impl Default for Spare {
    fn default() -> Self {
        Self { _bytes: [0; 2048] }
    }
}

/// Futures above the last class get memory of their own.
const CLASSES: [usize; 7] = [256, 384, 512, 768, 1024, 1536, 2048];
const ALIGN: usize = 64;
/// How many unused buffers of a class are kept.
const KEEP: usize = 4096;

/// What kind of buffer a future needs.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// Its class, or as many as there are: memory of its own.
    class: usize,
    size: usize,
    align: usize,
}

impl Room {
    const fn of(layout: Layout) -> Self {
        let (mut size, mut align) = (layout.size(), layout.align());
        let mut class = 0;
        while class < CLASSES.len() && size > CLASSES[class] {
            class += 1;
        }
        if align > ALIGN {
            class = CLASSES.len();
        } else {
            align = ALIGN;
        }
        if class < CLASSES.len() {
            size = CLASSES[class];
        }
        Self { class, size, align }
    }

    fn layout(self) -> Layout {
        Layout::from_size_align(self.size.max(1), self.align).expect("a future's layout")
    }
}

impl Buffers {
    /// `None`: there is no memory for one more.
    fn take(&self, room: Room) -> Option<NonNull<u8>> {
        if room.class < CLASSES.len() {
            // SAFETY: only the hub's own thread comes here, and no reference outlives the statement.
            if let Some(buffer) = unsafe { (&mut *self.free.get())[room.class].pop() } {
                return Some(buffer);
            }
        }
        if heap::is_scarce() {
            return None;
        }
        Self::make(room)
    }

    /// From the reserve, if need be.
    fn make_in_any_case(room: Room) -> NonNull<u8> {
        Self::make(room).unwrap_or_else(|| std::alloc::handle_alloc_error(room.layout()))
    }

    fn make(room: Room) -> Option<NonNull<u8>> {
        // SAFETY: the layout's size is not zero.
        NonNull::new(unsafe { std::alloc::alloc(room.layout()) })
    }

    /// Not to be parked in: the next call may need it.
    fn spare(&self, room: Room) -> Option<NonNull<u8>> {
        let fits = room.size <= size_of::<Spare>() && room.align <= align_of::<Spare>();
        NonNull::new(self.spare.get().cast()).filter(|_| fits)
    }

    fn give(&self, buffer: NonNull<u8>, room: Room) {
        if room.class < CLASSES.len() {
            // SAFETY: as in `take`.
            let free = unsafe { &mut (&mut *self.free.get())[room.class] };
            if free.len() < KEEP {
                return free.push(buffer);
            }
        }
        // SAFETY: `take` allocated it with this layout.
        unsafe { std::alloc::dealloc(buffer.as_ptr(), room.layout()) };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_no_parked_call() {
        // SAFETY: what a task's memory begins as.
        let parked: Option<Parked> = unsafe { std::mem::zeroed() };
        assert!(parked.is_none());
    }
}
