//! A lock for a few instructions' work, on the path of every wait and wake-up: half of what a mutex costs, as letting it go is a store. And
//! waits for what another thread is about to do, without being told.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

/// A value behind such a lock.
#[derive(Debug)]
pub(crate) struct Spin<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: one thread at a time gets to the value.
unsafe impl<T: Send> Sync for Spin<T> {}

/// The value, while the lock is had.
#[derive(Debug)]
pub(crate) struct Guard<'a, T>(&'a Spin<T>);

impl<T> Spin<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            taken: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        if self.taken.swap(true, Ordering::Acquire) {
            self.wait();
        }
        Guard(self)
    }

    #[cold]
    fn wait(&self) {
        until(|| !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Acquire));
    }
}

/// Waits until something is so: looks again for a while, lets others run, and then sleeps for moments. Whoever is to make it so may have lost its
/// CPU, or be of a lower priority; on a busy machine he gets it all the later the more is spent on looking.
#[cold]
pub fn until(mut is_so: impl FnMut() -> bool) {
    const LOOKS: u32 = 100;
    const YIELDS: u32 = 10;
    let mut tries = 0;
    while !is_so() {
        tries += 1;
        if tries < LOOKS {
            std::hint::spin_loop();
        } else if tries < LOOKS + YIELDS {
            // SAFETY: takes no arguments.
            let _ = unsafe { crate::sys!(SYS_sched_yield) };
        } else {
            let moment = libc::timespec {
                tv_sec: 0,
                tv_nsec: 20_000,
            };
            // SAFETY: the time is valid.
            let _ = unsafe { crate::sys!(SYS_nanosleep, &moment, 0) };
        }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the lock is had.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        static COUNT: Spin<u64> = Spin::new(0);
        const EACH: u64 = 20_000;
        std::thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| (0..EACH).for_each(|_| *COUNT.lock() += 1));
            }
        });
        assert_eq!(*COUNT.lock(), 4 * EACH);
    }
}
