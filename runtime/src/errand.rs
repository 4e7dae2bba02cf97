//! Errands: calls that only the process's first OS thread may make, because the kernel ties what they are about to the thread that made it.
//!
//! There is one such thing: an io_uring ring made before the program's first thread, with `IORING_SETUP_SINGLE_ISSUER`. The first OS thread is the
//! receiver since. Whoever needs it writes the call down and rings its bell; the receiver makes the call, which does not wait, and wakes the task.
//!
//! Ownership is that of the pool's jobs: shared by the future and the receiver; the task's pointer is taken, under the errand's lock, by
//! whichever comes first, the receiver or the future's drop.

use crate::signal::receiver;
use crate::sys;
use crate::sys::SysResult;
use crate::task::{lock, Task};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

#[derive(Debug)]
struct Errand {
    number: usize,
    args: [usize; 6],
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    task: Option<&'static Task>,
    result: Option<SysResult>,
}

static ERRANDS: Mutex<Vec<Arc<Errand>>> = Mutex::new(Vec::new());
/// There are some: the receiver looks at every turn, and a lock taken for nothing is a page to copy after a fork.
static ANY: AtomicBool = AtomicBool::new(false);

/// Has the first OS thread make a call that does not wait.
pub(crate) async fn send(task: &'static Task, number: usize, args: [usize; 6]) -> SysResult {
    let state = State {
        task: Some(task),
        result: None,
    };
    let errand = Arc::new(Errand {
        number,
        args,
        state: Mutex::new(state),
    });
    lock(&ERRANDS).push(Arc::clone(&errand));
    ANY.store(true, Ordering::Release);
    receiver::ring();
    Done(errand).await
}

/// For the receiver: makes the calls that are asked for.
pub(crate) fn run() {
    if !ANY.load(Ordering::Acquire) {
        return;
    }
    ANY.store(false, Ordering::Release);
    let errands = std::mem::take(&mut *lock(&ERRANDS));
    for errand in errands {
        let mut state = lock(&errand.state);
        // None: the task is gone, and with it the call's buffers.
        let Some(task) = state.task.take() else {
            continue;
        };
        // SAFETY: the program's call, or one of ours for it; the task waits for the result.
        let result = sys::check(unsafe { sys::syscall_raw(errand.number, errand.args) });
        state.result = Some(result);
        task.wake();
    }
}

/// In a forked child: nobody waits.
pub(crate) fn reset() {
    *lock(&ERRANDS) = Vec::new();
}

/// Waits for the result. A signal does not end it: it comes at once.
struct Done(Arc<Errand>);

impl Future for Done {
    type Output = SysResult;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<SysResult> {
        match lock(&self.0.state).result {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        lock(&self.0.state).task = None;
    }
}
