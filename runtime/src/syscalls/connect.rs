//! Sockets: making them, connecting and accepting, their options and their end. None of these has a flag that keeps it from waiting.

use super::close::Held;
use super::file::{deadline, would_block, Direction};
use super::{wait_fd, wait_with_others, Call};
use crate::fds::{self, Kind, Waits};
use crate::hub;
use crate::hub::readiness::{READ, WRITE};
use crate::pool;
use crate::sys;
use crate::sys::{read_user, Errno, SysResult};

/// socket(2).
pub(crate) fn socket(call: Call, _domain: i32, kind: i32) -> SysResult {
    let fd = call.raw()?;
    made(fd, Waits::unless(kind & libc::SOCK_NONBLOCK != 0));
    Ok(fd)
}

/// socketpair(2).
pub(crate) fn socketpair(
    call: Call,
    _domain: i32,
    kind: i32,
    _protocol: i32,
    pair: *const [i32; 2],
) -> SysResult {
    let done = call.raw()?;
    // SAFETY: the kernel has just written them.
    for fd in unsafe { read_user(pair) }? {
        let waits = Waits::unless(kind & libc::SOCK_NONBLOCK != 0);
        fds::made(fd, Kind::Socket, waits);
    }
    Ok(done)
}

fn made(fd: usize, waits: Waits) {
    fds::made(i32::try_from(fd).unwrap_or(-1), Kind::Socket, waits);
}

/// setsockopt(2): some options change what is known of a descriptor.
pub(crate) fn setsockopt(call: Call, fd: i32, level: i32, option: i32) -> SysResult {
    /// The same for programs with 64-bit times on 32-bit machines.
    const RCVTIMEO_NEW: i32 = 66;
    const SNDTIMEO_NEW: i32 = 67;
    if level == libc::SOL_SOCKET {
        match option {
            libc::SO_RCVTIMEO | libc::SO_SNDTIMEO | RCVTIMEO_NEW | SNDTIMEO_NEW => {
                fds::not_plain(fd);
            }
            libc::SO_RCVLOWAT => fds::has_low_water(),
            _ => {}
        }
    }
    if level == libc::IPPROTO_TCP && option == libc::TCP_ULP {
        // From then on (TLS in the kernel) reads end with records.
        fds::not_plain(fd);
    }
    call.raw()
}

/// shutdown(2): those who wait on the socket look again. Epoll tells a writer of its own side's shutdown only if there is room.
pub(crate) fn shutdown(call: Call, fd: i32, how: i32) -> SysResult {
    let result = call.raw();
    if how != libc::SHUT_WR && fds::option(fd, libc::SO_TYPE) != Ok(libc::SOCK_STREAM) {
        fds::has_shut();
    }
    if let Some(entry) = fds::entry(fd).filter(|_| fds::has_waiters(fd)) {
        hub::look_again(fd, entry.generation());
    }
    result
}

/// Whether closing a socket may wait until its data are sent: SO_LINGER, with a time.
pub(super) fn lingers(fd: i32) -> bool {
    let mut linger = libc::linger {
        l_onoff: 0,
        l_linger: 0,
    };
    let mut len = std::mem::size_of::<libc::linger>();
    // SAFETY: both are valid for writing.
    let asked = unsafe {
        sys!(
            SYS_getsockopt,
            fd,
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            &mut linger,
            &mut len
        )
    };
    asked.is_ok() && linger.l_onoff != 0 && linger.l_linger > 0
}

/// From here on its close waits for nothing.
pub(super) fn do_not_linger(fd: i32) {
    let off = libc::linger {
        l_onoff: 0,
        l_linger: 0,
    };
    let len = std::mem::size_of::<libc::linger>();
    // SAFETY: an option of that size.
    let _ = unsafe {
        sys!(
            SYS_setsockopt,
            fd,
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            &off,
            len
        )
    };
}

/// accept(2).
pub(crate) async fn accept(call: Call, fd: i32, address: usize, length: usize) -> SysResult {
    accepting(call, fd, address, length, 0).await
}

/// accept4(2).
pub(crate) async fn accept4(
    call: Call,
    fd: i32,
    address: usize,
    length: usize,
    flags: i32,
) -> SysResult {
    accepting(call, fd, address, length, flags).await
}

/// There is no flag that keeps accept from waiting, and O_NONBLOCK would be seen by all who share the socket. io_uring has such
/// a flag; without it, poll says when it is worth to let a pool thread try.
///
/// Of the tasks of a hub that wait for connections one is woken (`hub/readiness.rs`).
async fn accepting(call: Call, fd: i32, address: usize, length: usize, flags: i32) -> SysResult {
    if flags & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) != 0 {
        return Err(Errno::INVAL);
    }
    let file = Held::new(fd);
    let mut terms = None;
    loop {
        let now = file.fd()?;
        let result = if fds::is_nonblocking(now) {
            call.raw()
        } else if super::poll::ready_now(now, libc::POLLIN) {
            match file.with(|fd| crate::uring::accept(call.hub(), fd, address, length, flags))? {
                Some(result) => result,
                None if fds::nonblocking(now) => call.raw(),
                None => super::file::in_pool_on(call, &file).await,
            }
        } else if terms.is_none() && fds::kind(now) != Kind::Socket {
            return call.raw();
        } else {
            Err(Errno::AGAIN)
        };
        match result {
            Err(Errno::AGAIN) => {}
            result => {
                if let Ok(new) = result {
                    made(new, waits_of_accepted(now, flags));
                }
                return result;
            }
        }
        let (deadline, interrupt) = match terms {
            Some(terms) => terms,
            None => {
                if fds::option(now, libc::SO_ACCEPTCONN) != Ok(1) {
                    return call.raw();
                }
                *terms.insert(would_block(now, Kind::Socket, Direction::Read)?)
            }
        };
        if !file.hold() {
            terms = None;
            continue;
        }
        wait_fd(call, &file, READ, deadline, interrupt).await?;
    }
}

/// Whether calls on a socket that was accepted from this one wait: it has its time-outs, and flags of its own.
fn waits_of_accepted(listener: i32, flags: i32) -> Waits {
    let has_no_time_outs = || {
        fds::is_plain(listener)
            || [Direction::Read, Direction::Write]
                .iter()
                .all(|d| deadline(listener, *d) == u64::MAX)
    };
    match flags & libc::SOCK_NONBLOCK {
        0 if has_no_time_outs() => Waits::Plainly,
        0 => Waits::Somehow,
        _ => Waits::Never,
    }
}

/// connect(2): tried without waiting, and again when the socket can be written: that gives the outcome, and leaves the socket as a
/// blocking connect would.
pub(crate) async fn connect(call: Call, fd: i32) -> SysResult {
    let file = Held::new(fd);
    let mut terms = None;
    let mut first = None;
    loop {
        let now = file.fd()?;
        let mut args = call.args;
        args[0] = now as usize;
        let attempt = || try_to_connect(call, now);
        let Some(tried) = attempt() else {
            return super::file::in_pool_on(call, &file).await;
        };
        match tried {
            (result, false) => return result,
            // On its way; EALREADY: by another call, of which this one waits for the end.
            (Err(e @ (Errno::INPROGRESS | Errno(libc::EALREADY))), true) => {
                first.get_or_insert(e);
            }
            // A Unix socket's peer has a full backlog: that cannot be polled.
            (Err(Errno::AGAIN), true) => {
                let attempt = || match attempt()? {
                    (Err(Errno::AGAIN), true) => None,
                    (result, _) => Some(result),
                };
                return pool::wait(call.task, call.number, args, attempt).await;
            }
            (result, true) => return result,
        }
        let (deadline, interrupt) =
            *terms.get_or_insert_with(|| match deadline(now, Direction::Write) {
                u64::MAX => (u64::MAX, Errno::RESTART_SYS),
                deadline => (deadline, Errno::INTR),
            });
        if !file.hold() {
            (terms, first) = (None, None);
            continue;
        }
        match wait_with_others(call, &file, WRITE, deadline, interrupt).await {
            Ok(()) => {}
            // socket(7): connect says EINPROGRESS when SO_SNDTIMEO is over; EALREADY if it was not the first.
            Err(Errno::AGAIN) => return Err(first.unwrap_or(Errno::INPROGRESS)),
            Err(e) => return Err(e),
        }
    }
}

/// Makes a connect that does not wait, and says whether the program's would have waited. `None`: there is no way to.
///
/// A description that nobody else has gets O_NONBLOCK for the moment, hidden from the program: by its number alone it can be seen. Others
/// may look at any time, and keep what they find when this process is killed: io_uring makes the call, whatever the flag says.
fn try_to_connect(call: Call, fd: i32) -> Option<(SysResult, bool)> {
    let [_, address, length, ..] = call.args;
    let made = |nonblocking: Option<fds::NonblockingFor>| {
        let mut args = call.args;
        #[allow(clippy::cast_sign_loss)]
        {
            args[0] = fd as usize;
        }
        // SAFETY: the program's call, on the same file.
        let result = sys::check(unsafe { sys::syscall_raw(call.number, args) });
        (result, nonblocking.is_some())
    };
    if fds::is_ours_alone(fd) {
        return Some(made(fds::NonblockingFor::set(fd)));
    }
    if fds::nonblocking(fd) || fds::kind(fd) != Kind::Socket {
        return Some(made(None));
    }
    if fds::option(fd, libc::SO_DOMAIN) == Ok(libc::AF_UNIX) {
        return None;
    }
    crate::uring::connect(call.hub(), fd, address, length).map(|result| (result, true))
}
