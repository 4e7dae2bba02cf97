//! Atomics whose `SeqCst` means what it says.
//!
//! loom treats sequentially consistent accesses as release and acquire, and only fences as sequentially consistent. A fence before
//! each such access gives exactly their guarantee among each other, and none to weaker accesses that come after them.

use crate::{faulty, Fault};
use loom::sync::atomic as plain;
pub use loom::sync::atomic::Ordering;

fn fenced(order: Ordering) -> Ordering {
    if order == Ordering::SeqCst && !faulty(Fault::NotSeqCst) {
        plain::fence(Ordering::SeqCst);
    }
    order
}

#[derive(Debug)]
pub struct AtomicBool(plain::AtomicBool);

impl AtomicBool {
    pub fn new(value: bool) -> Self {
        Self(plain::AtomicBool::new(value))
    }

    pub fn load(&self, order: Ordering) -> bool {
        self.0.load(fenced(order))
    }

    pub fn store(&self, value: bool, order: Ordering) {
        self.0.store(value, fenced(order));
    }

    pub fn swap(&self, value: bool, order: Ordering) -> bool {
        self.0.swap(value, fenced(order))
    }
}

#[derive(Debug)]
pub struct AtomicPtr<T>(plain::AtomicPtr<T>);

impl<T> AtomicPtr<T> {
    pub fn new(value: *mut T) -> Self {
        Self(plain::AtomicPtr::new(value))
    }

    pub fn load(&self, order: Ordering) -> *mut T {
        self.0.load(fenced(order))
    }

    pub fn store(&self, value: *mut T, order: Ordering) {
        self.0.store(value, fenced(order));
    }

    pub fn swap(&self, value: *mut T, order: Ordering) -> *mut T {
        self.0.swap(value, fenced(order))
    }

    pub fn compare_exchange_weak(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        self.0
            .compare_exchange_weak(current, new, fenced(success), failure)
    }
}
