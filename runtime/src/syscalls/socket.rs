//! Sockets: the send and receive families. Each has flags, so each is tried with `MSG_DONTWAIT`.
//!
//! What the flag changes beside the waiting is made good here. A blocking send ends when all is gone, a receive with `MSG_WAITALL` (or
//! `SO_RCVLOWAT`) when enough is there, so both may take several tries, of which the program sees one. An error that comes
//! after part of the data has moved belongs to the next call, as the kernel leaves it on the socket: so before another try it
//! is looked whether the connection is over. And what cannot be put together from tries goes to the pool as it is.

use super::close::Held;
use super::file::{would_block, Direction};
use super::quick::{Answer, Tried};
use super::{wait_fd, Call, Outcome};
use crate::fds::{self, Kind};
use crate::hub::Hub;
use crate::pool;
use crate::signal;
use crate::sys;
use crate::sys::{read_user, Errno, SysResult};

/// Whether the next byte of a stream is the one after urgent data.
const SIOCATMARK: u32 = 0x8905;
const DONTWAIT: usize = libc::MSG_DONTWAIT as usize;
const NOSIGNAL: usize = libc::MSG_NOSIGNAL as usize;
const PEEK: usize = libc::MSG_PEEK as usize;
const WAITALL: usize = libc::MSG_WAITALL as usize;
/// Flags of calls that never wait: what they ask for is there or not.
const NEVER_WAIT_READ: usize = (libc::MSG_ERRQUEUE | libc::MSG_OOB) as usize;

/// recvfrom(2), recv(2). What is there is had without a future.
pub(crate) fn recvfrom(call: Call) -> Outcome {
    let fd = number(call);
    let flags = call.args[3];
    let file = Held::new(fd);
    if flags & (DONTWAIT | PEEK | WAITALL | NEVER_WAIT_READ) != 0 || fds::low_water(fd) > 1 {
        return super::run(call, with_flags(call, fd, 3, Direction::Read));
    }
    let (readiness, len) = (&call.hub().readiness, call.args[2]);
    let tried = if len > 0 && readiness.is_dry(&file) {
        Err(Errno::AGAIN)
    } else {
        first(&call, 3, flags | DONTWAIT)
    };
    match tried {
        Ok(n) => {
            readiness.has_read(&file, n, len);
            call.done(Ok(n))
        }
        tried => super::run(call, go_on(call, file, 3, Direction::Read, Some(tried))),
    }
}

/// sendto(2), send(2). What there is room for goes without a future.
pub(crate) fn sendto(call: Call) -> Outcome {
    let fd = number(call);
    let flags = call.args[3];
    let file = Held::new(fd);
    if flags & DONTWAIT != 0 || whole(&call, flags, Direction::Write) {
        return super::run(call, with_flags(call, fd, 3, Direction::Write));
    }
    match first(&call, 3, flags | DONTWAIT | NOSIGNAL) {
        Ok(n) if n == call.args[2] => call.done(Ok(n)),
        tried => super::run(call, go_on(call, file, 3, Direction::Write, Some(tried))),
    }
}

/// The first try of either, as [`quick`](super::quick) makes it.
pub(super) fn at_once(hub: &Hub, number: usize, mut args: [usize; 6]) -> Answer {
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    let fd = args[0] as i32;
    let [_, _, len, flags, ..] = args;
    let is_socket = fds::entry(fd).is_some_and(|e| e.kind() == Kind::Socket);
    let reads = number as i64 == libc::SYS_recvfrom;
    let special = if reads {
        PEEK | WAITALL | NEVER_WAIT_READ
    } else {
        libc::MSG_ZEROCOPY as usize
    };
    if !is_socket || flags & special != 0 || signal::may_calls_raise() {
        return Answer::None;
    }
    let never_waits = flags & DONTWAIT != 0 || fds::is_nonblocking(fd);
    if never_waits && (reads || flags & NOSIGNAL != 0) {
        return Answer::Plainly;
    }
    let file = Held::new(fd);
    if reads && (fds::low_water(fd) > 1 || len > 0 && hub.readiness.is_dry(&file)) {
        return Answer::None;
    }
    args[3] |= if reads { DONTWAIT } else { DONTWAIT | NOSIGNAL };
    // SAFETY: the program's call with flags that only keep it from waiting.
    match sys::check(unsafe { sys::syscall_raw(number, args) }) {
        Ok(n) if reads => {
            hub.readiness.has_read(&file, n, len);
            Answer::Is(n)
        }
        Ok(n) if n == len => Answer::Is(n),
        result @ (Ok(_) | Err(Errno::AGAIN)) if never_waits => {
            Answer::Is(sys::encode(result) as usize)
        }
        result => Answer::Tried(Tried {
            result,
            generation: file.generation(),
        }),
    }
}

/// The rest of either, whose first try has given this.
pub(super) fn tried(call: Call, tried: Tried) -> Outcome {
    let file = Held::of(number(call), tried.generation);
    let direction = match call.number as i64 {
        libc::SYS_recvfrom => Direction::Read,
        _ => Direction::Write,
    };
    // (If the program wants no wait, and the first try did not fail for that, it is over.)
    super::run(call, go_on(call, file, 3, direction, Some(tried.result)))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn number(call: Call) -> i32 {
    call.args[0] as i32
}

/// A call with flags, its argument `at`, that keep it from waiting.
fn first(call: &Call, at: usize, flags: usize) -> SysResult {
    let mut args = call.args;
    args[at] = flags;
    // SAFETY: the program's call with flags that only keep it from waiting.
    sys::check(unsafe { sys::syscall_raw(call.number, args) })
}

/// recvmsg(2).
pub(crate) fn recvmsg(call: Call) -> Outcome {
    let fd = number(call);
    let flags = call.args[2];
    if flags & (DONTWAIT | PEEK | WAITALL | NEVER_WAIT_READ) != 0 || fds::low_water(fd) > 1 {
        return super::run(call, with_flags(call, fd, 2, Direction::Read));
    }
    let file = Held::new(fd);
    match first(&call, 2, flags | DONTWAIT) {
        Ok(n) => call.done(Ok(n)),
        tried => super::run(call, go_on(call, file, 2, Direction::Read, Some(tried))),
    }
}

/// sendmsg(2).
pub(crate) fn sendmsg(call: Call) -> Outcome {
    let fd = number(call);
    let flags = call.args[2];
    may_share(call.args[1] as *const _);
    if flags & DONTWAIT != 0 || whole(&call, flags, Direction::Write) {
        return super::run(call, with_flags(call, fd, 2, Direction::Write));
    }
    let file = Held::new(fd);
    match first(&call, 2, flags | DONTWAIT | NOSIGNAL) {
        Ok(n) if Some(n) == length(&call) => call.done(Ok(n)),
        tried => super::run(call, go_on(call, file, 2, Direction::Write, Some(tried))),
    }
}

/// A message with ancillary data may carry descriptors to another process, which then shares their descriptions.
fn may_share(message: *const libc::msghdr) {
    // SAFETY: the program's message header.
    if unsafe { read_user(message) }.is_ok_and(|m| m.msg_controllen > 0) {
        fds::shared();
    }
}

/// Tries a call that has a flags argument at `at` until it does not answer `EAGAIN`.
async fn with_flags(call: Call, fd: i32, at: usize, direction: Direction) -> SysResult {
    let flags = call.args[at];
    if flags & DONTWAIT != 0 {
        return now(call, fd, at, direction);
    }
    if whole(&call, flags, direction) {
        return as_it_is(call, fd, at, direction).await;
    }
    go_on(call, Held::new(fd), at, direction, None).await
}

/// The same for a call that may be tried. `first`: what the first try gave, if there was one.
async fn go_on(
    call: Call,
    file: Held,
    at: usize,
    direction: Direction,
    mut first: Option<SysResult>,
) -> SysResult {
    let flags = call.args[at];
    let mut terms = None;
    let mut args = call.args;
    args[at] = match direction {
        Direction::Read => flags | DONTWAIT,
        Direction::Write => flags | DONTWAIT | NOSIGNAL,
    };
    let mut moved = 0;
    let mut rest = Rest::default();
    loop {
        let now = file.fd()?;
        let result = match first.take() {
            Some(result) => result,
            None => file.with(|fd| {
                args[0] = fd as usize;
                // SAFETY: the program's call with flags that only keep it from waiting, on what is left of its own buffers.
                sys::check(unsafe { sys::syscall_raw(call.number, args) })
            })?,
        };
        match result {
            Ok(n) => {
                let peeks = direction == Direction::Read && flags & PEEK != 0;
                moved = if peeks { n } else { moved + n };
                // (Of messages with their headers the length is not known here.)
                if direction == Direction::Read && at == 3 && flags & (PEEK | NEVER_WAIT_READ) == 0
                {
                    call.hub().readiness.has_read(&file, moved, call.args[2]);
                }
                if n == 0 || moved >= enough(&call, now, flags, direction) || !is_stream(now) {
                    return Ok(moved);
                }
                if terms.is_none() && fds::nonblocking(now) {
                    return Ok(moved);
                }
                if over(now, direction, if peeks { moved } else { 0 }) {
                    return Ok(moved);
                }
                if !peeks {
                    rest.advance(&call, &mut args, moved)?;
                    // The rest is the same file's.
                    if !file.hold() {
                        return Ok(moved);
                    }
                    continue;
                }
            }
            Err(Errno::AGAIN) => {}
            Err(_) if moved > 0 => return Ok(moved),
            Err(Errno::PIPE) => return Err(broken(call, now, flags)),
            Err(e) => return Err(e),
        }
        if direction == Direction::Read && flags & NEVER_WAIT_READ != 0 {
            return Err(Errno::AGAIN);
        }
        let (deadline, interrupt) = match terms {
            Some(terms) => terms,
            None => match would_block(now, Kind::Socket, direction) {
                Ok(new) => *terms.insert(new),
                Err(_) if moved > 0 => return Ok(moved),
                Err(e) => return Err(e),
            },
        };
        if direction == Direction::Write && moved == 0 && receiver_is_full(&call, now) {
            return full_receiver(call, at).await;
        }
        if direction == Direction::Read && fds::is_shut(now) {
            return Ok(moved);
        }
        if !file.hold() {
            if moved > 0 {
                return Ok(moved);
            }
            terms = None;
            continue;
        }
        match wait_fd(call, &file, direction.interest(), deadline, interrupt).await {
            Ok(()) => {}
            Err(_) if moved > 0 => return Ok(moved),
            Err(e) => return Err(e),
        }
        if moved > 0 && over(file.fd()?, direction, 0) && flags & PEEK == 0 {
            return Ok(moved);
        }
    }
}

/// Makes a call that the program wants not to wait.
fn now(call: Call, fd: i32, at: usize, direction: Direction) -> SysResult {
    if direction == Direction::Read {
        return call.raw();
    }
    let mut args = call.args;
    args[at] |= NOSIGNAL;
    // SAFETY: the program's call; its SIGPIPE goes to the task.
    match sys::check(unsafe { sys::syscall_raw(call.number, args) }) {
        Err(Errno::PIPE) => Err(broken(call, fd, call.args[at])),
        result => result,
    }
}

/// Calls that must be one for the kernel, too: the completions of `MSG_ZEROCOPY` are counted by call, and where ancillary data come
/// in the middle of a stream decides where a `MSG_WAITALL` ends.
fn whole(call: &Call, flags: usize, direction: Direction) -> bool {
    match direction {
        Direction::Write => flags & libc::MSG_ZEROCOPY as usize != 0,
        Direction::Read => {
            flags & WAITALL != 0
                && call.number as i64 == libc::SYS_recvmsg
                // SAFETY: the program's message header.
                && unsafe { read_user(call.args[1] as *const libc::msghdr) }
                    .is_ok_and(|m| m.msg_controllen > 0)
        }
    }
}

/// Makes such a call on a pool thread, once the socket is ready; at once if it has a time-out, which is the kernel's to keep.
async fn as_it_is(call: Call, fd: i32, at: usize, direction: Direction) -> SysResult {
    let file = Held::new(fd);
    let mut args = call.args;
    let wanted = match direction {
        Direction::Read => libc::POLLIN,
        Direction::Write => libc::POLLOUT,
    };
    if direction == Direction::Write {
        args[at] |= NOSIGNAL;
    }
    match would_block(fd, Kind::Socket, direction) {
        Ok((u64::MAX, interrupt)) => {
            while !super::poll::ready_now(file.fd()?, wanted) {
                if !file.hold() {
                    // Another file, about which poll may tell nothing: the call itself will.
                    break;
                }
                wait_fd(call, &file, direction.interest(), u64::MAX, interrupt).await?;
            }
        }
        Ok(_) => {}
        Err(_) => return now(call, fd, at, direction),
    }
    let pinned = file.pin()?;
    args[0] = pinned.fd as usize;
    match pool::wait_there(call.task, call.number, args).await {
        Err(Errno::PIPE) => Err(broken(call, fd, call.args[at])),
        result => result,
    }
}

/// A send to a stream that has no reader: SIGPIPE goes to the task, from which `MSG_NOSIGNAL` has kept the hub's. Datagrams have none.
pub(super) fn broken(call: Call, fd: i32, flags: usize) -> Errno {
    if flags & NOSIGNAL == 0 && is_stream(fd) {
        let info = signal::Info::from_user(libc::SIGPIPE, libc::SI_USER);
        let _ = signal::post_to(call.task, call.task.id(), info);
    }
    Errno::PIPE
}

/// How many bytes a blocking call moves at least, unless the stream ends before.
fn enough(call: &Call, fd: i32, flags: usize, direction: Direction) -> usize {
    if direction == Direction::Write || flags & WAITALL != 0 {
        length(call).unwrap_or(0)
    } else {
        match fds::low_water(fd) {
            0 | 1 => 1,
            mark => mark.min(length(call).unwrap_or(0)),
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
    fds::option(fd, libc::SO_TYPE) == Ok(libc::SOCK_STREAM)
}

/// Whether a call that has moved something ends here: another try could only find the end of the connection, or the error that
/// ended it, which is for the next call to tell. `seen`: how many of the bytes that can be read are known.
fn over(fd: i32, direction: Direction, seen: usize) -> bool {
    let events = super::poll::events_now(fd, libc::POLLRDHUP);
    match direction {
        Direction::Write => events & (libc::POLLHUP | libc::POLLNVAL) != 0,
        Direction::Read => {
            let (mut queued, mut at_mark) = (0i32, 0i32);
            // SAFETY: both are valid for writing.
            let asked = unsafe {
                let _ = sys!(SYS_ioctl, fd, SIOCATMARK, &mut at_mark);
                sys!(SYS_ioctl, fd, libc::FIONREAD, &mut queued)
            };
            // A receive that has got something stops before urgent data.
            at_mark != 0
                || events & (libc::POLLHUP | libc::POLLRDHUP | libc::POLLNVAL) != 0
                    && (asked.is_err() || usize::try_from(queued).unwrap_or(0) <= seen)
        }
    }
}

/// Whether a send could not be made although its socket has room: then it is a Unix datagram's receiver that has none, and poll tells
/// of that only if the socket is connected to it.
fn receiver_is_full(call: &Call, fd: i32) -> bool {
    let addressed = match call.number as i64 {
        libc::SYS_sendto => call.args[4] != 0,
        // SAFETY: the program's message header.
        _ => unsafe { read_user(call.args[1] as *const libc::msghdr) }
            .is_ok_and(|m| !m.msg_name.is_null()),
    };
    addressed
        && fds::option(fd, libc::SO_DOMAIN) == Ok(libc::AF_UNIX)
        && super::poll::ready_now(fd, libc::POLLOUT)
}

/// The kernel wakes those who wait in the call: a pool thread does.
async fn full_receiver(call: Call, at: usize) -> SysResult {
    let mut args = call.args;
    args[at] |= DONTWAIT;
    // SAFETY: the program's call, without the wait. A datagram's sender gets no SIGPIPE.
    let attempt = || match sys::check(unsafe { sys::syscall_raw(call.number, args) }) {
        Err(Errno::AGAIN) => None,
        result => Some(result),
    };
    pool::wait(call.task, call.number, call.args, attempt).await
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

/// recvmmsg(2): waits for the first message, then for the others until they are all there or the time is over, which is
/// looked at after each message only, as the manual says. What is left of the time is written back.
pub(crate) async fn recvmmsg(
    call: Call,
    _fd: i32,
    _list: usize,
    _count: u32,
    flags: i32,
    timeout: *mut libc::timespec,
) -> SysResult {
    let until = if timeout.is_null() {
        u64::MAX
    } else {
        // SAFETY: the program's timespec.
        super::time::deadline_after(unsafe { read_user(timeout) }?)?
    };
    let each = |done| {
        let wait = done == 0 || flags & libc::MSG_WAITFORONE == 0;
        flags & !libc::MSG_WAITFORONE | if wait { 0 } else { libc::MSG_DONTWAIT }
    };
    let result = messages(call, libc::SYS_recvmsg, each, until).await;
    if until != u64::MAX && result.is_ok_and(|n| n > 0) {
        let left = until.saturating_sub(sys::now(libc::CLOCK_MONOTONIC));
        // SAFETY: read before from the same place.
        unsafe { sys::write_user(timeout, super::time::timespec(left)) }?;
    }
    result
}

/// sendmmsg(2).
pub(crate) async fn sendmmsg(
    call: Call,
    _fd: i32,
    _list: usize,
    _count: u32,
    flags: i32,
) -> SysResult {
    messages(call, libc::SYS_sendmsg, |_| flags, u64::MAX).await
}

/// Makes the calls of which a call for many messages is made, one by one, until a time. `flags`: of a message, by how many were before.
async fn messages(call: Call, number: i64, flags: impl Fn(usize) -> i32, until: u64) -> SysResult {
    /// sendmmsg takes no more at once (`UIO_MAXIOV`).
    const MOST_SENT: usize = 1024;
    let [fd, list, count, ..] = call.args;
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    let (fd, mut count) = (fd as i32, count as u32 as usize);
    if count == 0 {
        return call.raw();
    }
    let direction = if number == libc::SYS_recvmsg {
        Direction::Read
    } else {
        count = count.min(MOST_SENT);
        Direction::Write
    };
    let mut done = 0;
    while done < count {
        let header = (list as *mut libc::mmsghdr).wrapping_add(done);
        // SAFETY: an address in the program's array.
        let at = unsafe { &raw mut (*header).msg_hdr };
        let message = Call {
            number: number as usize,
            args: [fd as usize, at as usize, flags(done) as usize, 0, 0, 0],
            ..call
        };
        if direction == Direction::Write {
            may_share(at);
        } else if done > 0 && flags(done) & libc::MSG_ERRQUEUE == 0 && failed(fd) {
            // The error is for the next call to tell.
            break;
        }
        match with_flags(message, fd, 2, direction).await {
            Ok(n) => {
                // SAFETY: the program's array of headers.
                let got = unsafe {
                    let length = u32::try_from(n).unwrap_or(u32::MAX);
                    sys::write_user(&raw mut (*header).msg_len, length)?;
                    read_user(at)?.msg_flags
                };
                done += 1;
                let ends = match direction {
                    Direction::Read => got & libc::MSG_OOB != 0,
                    Direction::Write => length(&message).is_some_and(|length| n < length),
                };
                if ends {
                    break;
                }
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

/// Whether an error waits on a socket to be told.
fn failed(fd: i32) -> bool {
    // Errors are always looked for.
    super::poll::ready_now(fd, 0)
}
