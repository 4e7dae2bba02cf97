//! The bell: by which a hub that sleeps in its epoll is woken, an eventfd in there.

use super::{current, readiness, Hub};
use crate::{own, signal, sys};
use std::sync::atomic::Ordering;

impl Hub {
    /// Opens the hub's descriptors. Before its thread starts, so that failure can still be reported.
    ///
    /// # Errors
    /// The kernel's, when a descriptor is refused.
    pub fn open(&self) -> Result<(), sys::Errno> {
        // SAFETY: makes descriptors.
        let epoll = own::make(|| unsafe { sys!(SYS_epoll_create1, libc::EPOLL_CLOEXEC) })?;
        let opened = self.open_bell(epoll);
        if opened.is_err() {
            own::close(epoll);
        }
        opened
    }

    fn open_bell(&self, epoll: i32) -> Result<(), sys::Errno> {
        // SAFETY: as above.
        let bell =
            own::make(|| unsafe { sys!(SYS_eventfd2, 0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        let mut event = libc::epoll_event {
            events: (libc::EPOLLIN | libc::EPOLLET) as u32,
            u64: readiness::BELL,
        };
        // SAFETY: `event` is valid.
        unsafe { sys!(SYS_epoll_ctl, epoll, libc::EPOLL_CTL_ADD, bell, &mut event) }
            .inspect_err(|_| own::close(bell))?;
        self.readiness.open(epoll);
        self.bell.store(bell, Ordering::Release);
        Ok(())
    }

    /// The descriptor by which it is rung.
    pub(crate) fn bell_number(&self) -> i32 {
        self.bell.load(Ordering::Acquire)
    }

    /// Rings the hub's bell, which on a thread with descriptors of its own is none.
    pub(super) fn ring(&'static self) {
        if current().is_some_and(Hub::has_own_files) {
            return signal::receiver::ring_for(self);
        }
        self.ring_here();
    }

    /// Rings it by its descriptor.
    pub(crate) fn ring_here(&self) {
        match &self.lone {
            Some(lone) => lone.ring(&self.bell),
            None => self.ring_bell(),
        }
    }

    fn ring_bell(&self) {
        let one = 1u64;
        // SAFETY: writes eight bytes to the hub's eventfd. It cannot fail but for overflow, when the bell rings anyway.
        let _ = unsafe { sys!(SYS_write, self.bell.load(Ordering::Acquire), &one, 8) };
    }
}
