//! Sockets: what has flags gets `MSG_DONTWAIT`; accept and connect have none and are treated apart.

use super::close::Held;
use super::file::{would_block, Direction};
use super::{wait_fd, Call};
use crate::fds::{self, Kind};
use crate::hub::readiness::{READ, WRITE};
use crate::hub::{self, News};
use crate::pool;
use crate::signal;
use crate::sys;
use crate::sys::{read_user, Errno, SysResult};

const DONTWAIT: usize = libc::MSG_DONTWAIT as usize;

/// Tries a call that has a flags argument at `at` until it does not answer `EAGAIN`.
async fn with_flags(call: Call, fd: i32, at: usize, direction: Direction) -> SysResult {
    let file = Held::new(fd);
    let flags = call.args[at];
    if flags & DONTWAIT != 0 {
        return call.raw();
    }
    // A large message on a stream may go in parts; a blocking send ends when all is gone.
    let streams = direction == Direction::Write || flags & libc::MSG_WAITALL as usize != 0;
    let mut terms = None;
    let mut args = call.args;
    args[at] = flags
        | DONTWAIT
        | if direction == Direction::Write {
            libc::MSG_NOSIGNAL as usize
        } else {
            0
        };
    let mut moved = 0;
    let length = if streams { length(&call) } else { None };
    let mut rest = Rest::default();
    loop {
        args[0] = file.fd()? as usize;
        // SAFETY: the program's call with flags that only keep it from waiting, on what is left of its own buffers.
        match sys::check(unsafe { sys::syscall_raw(call.number, args) }) {
            Ok(n) => {
                moved += n;
                let Some(length) = length else {
                    return Ok(moved);
                };
                if moved >= length
                    || n == 0
                    || !is_stream(fd)
                    || flags & libc::MSG_PEEK as usize != 0
                {
                    return Ok(moved);
                }
                if terms.is_none() && fds::nonblocking(fd) {
                    return Ok(moved);
                }
                rest.advance(&call, &mut args, moved)?;
                continue;
            }
            Err(Errno::AGAIN) => {}
            Err(_) if moved > 0 => return Ok(moved),
            Err(Errno::PIPE) => {
                if flags & libc::MSG_NOSIGNAL as usize == 0 {
                    let info = signal::Info::from_user(libc::SIGPIPE, libc::SI_USER);
                    let _ = signal::post_to(call.task, call.task.id(), info);
                }
                return Err(Errno::PIPE);
            }
            Err(e) => return Err(e),
        }
        if flags & libc::MSG_ERRQUEUE as usize != 0 {
            // The error queue never waits.
            return Err(Errno::AGAIN);
        }
        let (deadline, interrupt) = match terms {
            Some(terms) => terms,
            None => match would_block(fd, Kind::Socket, direction) {
                Ok(new) => *terms.insert(new),
                Err(_) if moved > 0 => return Ok(moved),
                Err(e) => return Err(e),
            },
        };
        file.hold();
        let fd = file.fd()?;
        match wait_fd(call, fd, direction.interest(), deadline, interrupt).await {
            Ok(()) => {}
            Err(_) if moved > 0 => return Ok(moved),
            Err(e) => return Err(e),
        }
    }
}

/// How many bytes a call wants to move.
fn length(call: &Call) -> Option<usize> {
    match call.number as i64 {
        libc::SYS_sendto | libc::SYS_recvfrom => Some(call.args[2]),
        _ => {
            // SAFETY: the program's message header and vectors.
            unsafe {
                let message = read_user(call.args[1] as *const libc::msghdr).ok()?;
                let vectors = (0..message.msg_iovlen).map(|i| read_user(message.msg_iov.add(i)));
                vectors
                    .map(|v| v.map(|v| v.iov_len))
                    .sum::<Result<usize, _>>()
                    .ok()
            }
        }
    }
}

fn is_stream(fd: i32) -> bool {
    let (mut kind, mut len) = (0i32, std::mem::size_of::<i32>());
    // SAFETY: both are valid for writing.
    let _ = unsafe {
        sys!(
            SYS_getsockopt,
            fd,
            libc::SOL_SOCKET,
            libc::SO_TYPE,
            &mut kind,
            &mut len
        )
    };
    kind == libc::SOCK_STREAM
}

/// What is left of a call's buffers after part of them was moved.
#[derive(Default)]
struct Rest {
    vectors: Vec<libc::iovec>,
    message: Option<Box<libc::msghdr>>,
}

// SAFETY: addresses in the program's memory.
unsafe impl Send for Rest {}

impl Rest {
    /// Points `args` at the program's buffers beyond the first `moved` bytes.
    fn advance(&mut self, call: &Call, args: &mut [usize; 6], moved: usize) -> Result<(), Errno> {
        if matches!(call.number as i64, libc::SYS_sendto | libc::SYS_recvfrom) {
            args[1] = call.args[1] + moved;
            args[2] = call.args[2] - moved;
            return Ok(());
        }
        // SAFETY: the program's message header and vectors.
        let mut message = unsafe { read_user(call.args[1] as *const libc::msghdr) }?;
        self.vectors.clear();
        let mut skip = moved;
        for i in 0..message.msg_iovlen {
            // SAFETY: as above.
            let v = unsafe { read_user(message.msg_iov.add(i)) }?;
            let step = skip.min(v.iov_len);
            skip -= step;
            if v.iov_len > step {
                self.vectors.push(libc::iovec {
                    iov_base: v.iov_base.wrapping_byte_add(step),
                    iov_len: v.iov_len - step,
                });
            }
        }
        message.msg_iov = self.vectors.as_mut_ptr();
        message.msg_iovlen = self.vectors.len();
        // Ancillary data went with the first part.
        message.msg_control = std::ptr::null_mut();
        message.msg_controllen = 0;
        args[1] = std::ptr::from_mut(self.message.insert(Box::new(message)).as_mut()) as usize;
        Ok(())
    }
}

/// recvfrom(2), recv(2).
pub(crate) async fn recvfrom(call: Call, fd: i32) -> SysResult {
    with_flags(call, fd, 3, Direction::Read).await
}

/// sendto(2), send(2).
pub(crate) async fn sendto(call: Call, fd: i32) -> SysResult {
    with_flags(call, fd, 3, Direction::Write).await
}

/// recvmsg(2).
pub(crate) async fn recvmsg(call: Call, fd: i32) -> SysResult {
    with_flags(call, fd, 2, Direction::Read).await
}

/// sendmsg(2).
pub(crate) async fn sendmsg(call: Call, fd: i32) -> SysResult {
    // A message may carry descriptors to another process, which then shares their descriptions.
    fds::shared();
    with_flags(call, fd, 2, Direction::Write).await
}

/// recvmmsg(2): waits for the first message, then for the others until they are all there or the time is over, which is
/// looked at after each message only, as the manual says.
pub(crate) async fn recvmmsg(
    call: Call,
    fd: i32,
    list: usize,
    count: u32,
    flags: i32,
    timeout: *const libc::timespec,
) -> SysResult {
    let until = if timeout.is_null() {
        u64::MAX
    } else {
        // SAFETY: the program's timespec.
        super::time::deadline_after(unsafe { read_user(timeout) }?)?
    };
    let one = std::mem::size_of::<libc::mmsghdr>();
    let mut done = 0;
    while done < count as usize {
        let wait = done == 0 || flags & libc::MSG_WAITFORONE == 0;
        let each = flags & !libc::MSG_WAITFORONE | if wait { 0 } else { libc::MSG_DONTWAIT };
        let at = list + done * one;
        let message = Call {
            number: libc::SYS_recvmsg as usize,
            args: [fd as usize, at, each as usize, 0, 0, 0],
            ..call
        };
        match with_flags(message, fd, 2, Direction::Read).await {
            Ok(n) => {
                let header = at as *mut libc::mmsghdr;
                // SAFETY: the program's array of headers.
                unsafe {
                    sys::write_user(
                        &raw mut (*header).msg_len,
                        u32::try_from(n).unwrap_or(u32::MAX),
                    )
                }?;
                done += 1;
            }
            Err(_) if done > 0 => break,
            Err(e) => return Err(e),
        }
        if until != u64::MAX && sys::now(libc::CLOCK_MONOTONIC) >= until {
            break;
        }
    }
    Ok(done)
}

/// sendmmsg(2).
pub(crate) async fn sendmmsg(
    call: Call,
    fd: i32,
    list: usize,
    count: u32,
    flags: i32,
) -> SysResult {
    let one = std::mem::size_of::<libc::mmsghdr>();
    let mut done = 0;
    fds::shared();
    while done < count as usize {
        let at = list + done * one;
        let message = Call {
            number: libc::SYS_sendmsg as usize,
            args: [fd as usize, at, flags as usize, 0, 0, 0],
            ..call
        };
        match with_flags(message, fd, 2, Direction::Write).await {
            Ok(n) => {
                let header = at as *mut libc::mmsghdr;
                // SAFETY: the program's array of headers.
                unsafe {
                    sys::write_user(
                        &raw mut (*header).msg_len,
                        u32::try_from(n).unwrap_or(u32::MAX),
                    )
                }?;
                done += 1;
            }
            Err(_) if done > 0 => break,
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// socket(2).
pub(crate) fn socket(call: Call, _domain: i32, kind: i32) -> SysResult {
    let fd = call.raw()?;
    fds::made(
        i32::try_from(fd).unwrap_or(-1),
        kind & libc::SOCK_NONBLOCK != 0,
    );
    Ok(fd)
}

/// setsockopt(2): time-outs change what is known of a descriptor.
pub(crate) fn setsockopt(call: Call, fd: i32, level: i32, option: i32) -> SysResult {
    if level == libc::SOL_SOCKET && [libc::SO_RCVTIMEO, libc::SO_SNDTIMEO, 66, 67].contains(&option)
    {
        fds::not_plain(fd);
    }
    call.raw()
}

/// shutdown(2): those who wait on the socket look again. Epoll tells a writer of its own side's shutdown only if there is room.
pub(crate) fn shutdown(call: Call, fd: i32) -> SysResult {
    let result = call.raw();
    if let Some(entry) = fds::entry(fd).filter(|_| fds::has_waiters(fd)) {
        for hub in hub::all() {
            hub.tell(News::LookAgain(fd, entry.generation()));
        }
    }
    result
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
async fn accepting(call: Call, fd: i32, address: usize, length: usize, flags: i32) -> SysResult {
    if flags & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) != 0 {
        return Err(Errno::INVAL);
    }
    let file = Held::new(fd);
    let mut terms = None;
    loop {
        let now = file.fd()?;
        let result = if super::poll::ready_now(now, libc::POLLIN) {
            match crate::uring::accept(call.hub(), now, address, length, flags) {
                Some(result) => result,
                None if fds::nonblocking(now) => call.raw(),
                None => pool::run(call.task, call.number, call.args).await,
            }
        } else if terms.is_none() && fds::kind(now) != Kind::Socket {
            return call.raw();
        } else {
            Err(Errno::AGAIN)
        };
        match result {
            Ok(new) => {
                fds::made(
                    i32::try_from(new).unwrap_or(-1),
                    flags & libc::SOCK_NONBLOCK != 0,
                );
                return Ok(new);
            }
            Err(Errno::AGAIN) => {}
            Err(e) => return Err(e),
        }
        let (deadline, interrupt) = match terms {
            Some(terms) => terms,
            None => {
                if !is_listening(now) {
                    return call.raw();
                }
                *terms.insert(would_block(now, Kind::Socket, Direction::Read)?)
            }
        };
        file.hold();
        wait_fd(call, file.fd()?, READ, deadline, interrupt).await?;
    }
}

fn is_listening(fd: i32) -> bool {
    let (mut on, mut len) = (0i32, std::mem::size_of::<i32>());
    // SAFETY: both are valid for writing.
    let _ = unsafe {
        sys!(
            SYS_getsockopt,
            fd,
            libc::SOL_SOCKET,
            libc::SO_ACCEPTCONN,
            &mut on,
            &mut len
        )
    };
    on != 0
}

/// connect(2): made with O_NONBLOCK set for the moment of the call and hidden from the program, and made again when the socket can
/// be written: that gives the outcome, and leaves the socket as a blocking connect would.
pub(crate) async fn connect(call: Call, fd: i32) -> SysResult {
    let file = Held::new(fd);
    let mut terms = None;
    loop {
        let now = file.fd()?;
        let mut args = call.args;
        args[0] = now as usize;
        let Some(nonblocking) = fds::NonblockingFor::set(now) else {
            return call.raw();
        };
        // SAFETY: the program's call, on the same file.
        let result = sys::check(unsafe { sys::syscall_raw(call.number, args) });
        drop(nonblocking);
        match result {
            // On its way; EALREADY: by another task's call, or not there yet.
            Err(Errno::INPROGRESS | Errno(libc::EALREADY)) => {}
            // A Unix socket's peer has a full backlog: that cannot be polled.
            Err(Errno::AGAIN) => return pool::wait_there(call.task, call.number, call.args).await,
            result => return result,
        }
        let (deadline, interrupt) =
            *terms.get_or_insert_with(|| match super::file::deadline(now, Direction::Write) {
                u64::MAX => (u64::MAX, Errno::RESTART_SYS),
                deadline => (deadline, Errno::INTR),
            });
        file.hold();
        match wait_fd(call, file.fd()?, WRITE, deadline, interrupt).await {
            Ok(()) => {}
            // socket(7): connect says EINPROGRESS when SO_SNDTIMEO is over.
            Err(Errno::AGAIN) => return Err(Errno::INPROGRESS),
            Err(e) => return Err(e),
        }
    }
}
