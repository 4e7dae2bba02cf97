//! Files: read, write and their kin on everything that has a descriptor.
//!
//! The rule: never change what others can see. A call is tried in a form that cannot block: `MSG_DONTWAIT` for sockets,
//! `RWF_NOWAIT` for pipes, eventfds, and regular files in the page cache. What has no such form is polled first and then left to
//! a pool thread, which may block without harm. Whether the program wants to block at all is asked of the kernel (`F_GETFL`)
//! only when a call would block.

use super::close::Held;
use super::poll::ready_now;
use super::quick::{Answer, Tried};
use super::{regular, terminal, wait_fd, Call, Outcome};
use crate::fds::{self, Kind};
use crate::hub::readiness::{READ, WRITE};
use crate::hub::Hub;
use crate::own;
use crate::pool;
use crate::signal::{self, Lent};
use crate::sys;
use crate::sys::{read_user, Errno, SysResult};

/// `preadv2` and `pwritev2`: do not wait.
const RWF_NOWAIT: i32 = 8;
/// At the file's own position.
const HERE: i64 = -1;

/// How a program's call moves data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Read,
    Write,
}

impl Direction {
    pub(crate) fn interest(self) -> u32 {
        match self {
            Self::Read => READ,
            Self::Write => WRITE,
        }
    }

    /// What poll(2) calls it.
    pub(crate) fn events(self) -> i16 {
        match self {
            Self::Read => libc::POLLIN,
            Self::Write => libc::POLLOUT,
        }
    }
}

/// A list of buffers, of which the first bytes are done.
#[derive(Debug)]
pub(crate) struct Buffers {
    /// Empty if `few` has them all.
    many: Vec<libc::iovec>,
    few: [libc::iovec; FEW],
    count: usize,
    first: usize,
}

/// So many buffers cost no memory of their own.
const FEW: usize = 4;
const NONE: libc::iovec = libc::iovec {
    iov_base: std::ptr::null_mut(),
    iov_len: 0,
};

// SAFETY: addresses in the program's memory, used by whichever thread makes the call.
unsafe impl Send for Buffers {}

impl Buffers {
    pub(crate) fn one(base: usize, len: usize) -> Self {
        let mut few = [NONE; FEW];
        few[0] = libc::iovec {
            iov_base: base as *mut _,
            iov_len: len,
        };
        Self {
            many: Vec::new(),
            few,
            count: 1,
            first: 0,
        }
    }

    /// # Errors
    /// Those that the call has for such a list, or another: it is to be made as it is.
    pub(crate) fn of(list: *const libc::iovec, count: usize) -> Result<Self, Errno> {
        if count > 1024 {
            return Err(Errno::INVAL);
        }
        let mut buffers = Self {
            many: Vec::new(),
            few: [NONE; FEW],
            count,
            first: 0,
        };
        if count > FEW {
            buffers.many.resize(count, NONE);
        }
        for (i, buffer) in buffers.all().iter_mut().enumerate() {
            // SAFETY: the program gave `count` vectors.
            *buffer = unsafe { read_user(list.add(i)) }?;
            if !sys::is_range(buffer.iov_base as usize, buffer.iov_len) {
                return Err(Errno::FAULT);
            }
        }
        Ok(buffers)
    }

    /// Those of a call, if they are no more than can be had without memory, and as they must be.
    fn of_few(number: usize, args: [usize; 6]) -> Option<Self> {
        let [_, at, len, ..] = args;
        if matches!(number as i64, libc::SYS_readv | libc::SYS_writev) {
            (len <= FEW).then(|| Self::of(at as *const _, len).ok())?
        } else {
            sys::is_range(at, len).then(|| Self::one(at, len))
        }
    }

    fn all(&mut self) -> &mut [libc::iovec] {
        if self.count > FEW {
            &mut self.many
        } else {
            &mut self.few[..self.count]
        }
    }

    pub(crate) fn left(&self) -> &[libc::iovec] {
        if self.count > FEW {
            &self.many[self.first..]
        } else {
            &self.few[self.first..self.count]
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.left().iter().map(|v| v.iov_len).sum()
    }

    pub(crate) fn advance(&mut self, mut done: usize) {
        while done > 0 && self.first < self.count {
            let first = self.first;
            let v = &mut self.all()[first];
            let step = done.min(v.iov_len);
            v.iov_base = v.iov_base.wrapping_byte_add(step);
            v.iov_len -= step;
            done -= step;
            if v.iov_len == 0 {
                self.first += 1;
            }
        }
    }

    /// Tries to move data without waiting, at the file's position.
    fn try_now(&self, fd: i32, direction: Direction, kind: Kind) -> SysResult {
        let v = self.left();
        match (kind, direction, v) {
            // One buffer: the kernel has no message header to read.
            (Kind::Socket, Direction::Read, [one]) => {
                let (at, len) = (one.iov_base, one.iov_len);
                // SAFETY: the buffer is the program's.
                unsafe { sys!(SYS_recvfrom, fd, at, len, libc::MSG_DONTWAIT, 0, 0) }
            }
            (Kind::Socket, Direction::Write, [one]) => {
                let (at, len) = (one.iov_base, one.iov_len);
                let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
                // SAFETY: as above.
                unsafe { sys!(SYS_sendto, fd, at, len, flags, 0, 0) }
            }
            (Kind::Socket, Direction::Read, _) => {
                let message = message(v);
                // SAFETY: the vectors are the program's.
                unsafe { sys!(SYS_recvmsg, fd, &message, libc::MSG_DONTWAIT) }
            }
            (Kind::Socket, Direction::Write, _) => {
                let message = message(v);
                // SAFETY: as above.
                unsafe {
                    sys!(
                        SYS_sendmsg,
                        fd,
                        &message,
                        libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL
                    )
                }
            }
            // SAFETY: as above.
            (_, Direction::Read, _) => unsafe {
                sys!(SYS_preadv2, fd, v.as_ptr(), v.len(), HERE, HERE, RWF_NOWAIT)
            },
            // SAFETY: as above.
            (_, Direction::Write, _) => unsafe {
                sys!(
                    SYS_pwritev2,
                    fd,
                    v.as_ptr(),
                    v.len(),
                    HERE,
                    HERE,
                    RWF_NOWAIT
                )
            },
        }
    }
}

fn message(v: &[libc::iovec]) -> libc::msghdr {
    // SAFETY: all zero is an empty message header.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = v.as_ptr().cast_mut();
    message.msg_iovlen = v.len();
    message
}

/// A write to a pipe or socket without a reader: SIGPIPE goes to the task, not to the hub.
fn broken(call: Call, kind: Kind, result: SysResult) -> SysResult {
    if result == Err(Errno::PIPE) {
        if kind == Kind::Socket {
            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
            return Err(super::socket::broken(call, call.args[0] as i32, 0));
        } else {
            signal::forward(call.task, libc::SIGPIPE);
        }
    }
    result
}

/// A socket's SO_RCVTIMEO or SO_SNDTIMEO as a deadline; for others none.
pub(crate) fn deadline(fd: i32, direction: Direction) -> u64 {
    let option = match direction {
        Direction::Read => libc::SO_RCVTIMEO,
        Direction::Write => libc::SO_SNDTIMEO,
    };
    let mut time = libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    };
    let mut len = std::mem::size_of_val(&time);
    // SAFETY: `time` and `len` are valid.
    let got = unsafe {
        sys!(
            SYS_getsockopt,
            fd,
            libc::SOL_SOCKET,
            option,
            &mut time,
            &mut len
        )
    };
    let ns = time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1000;
    if got.is_err() || ns == 0 {
        u64::MAX
    } else {
        sys::now(libc::CLOCK_MONOTONIC).saturating_add(ns)
    }
}

/// What a blocked call needs to know, asked only once it would block: its deadline, and what a signal makes of it.
/// `AGAIN`: the program asked not to block.
pub(crate) fn would_block(
    fd: i32,
    kind: Kind,
    direction: Direction,
) -> Result<(u64, Errno), Errno> {
    if fds::is_plain(fd) {
        return Ok((u64::MAX, Errno::RESTART_SYS));
    }
    if fds::nonblocking(fd) {
        return Err(Errno::AGAIN);
    }
    if kind != Kind::Socket {
        return Ok((u64::MAX, Errno::RESTART_SYS));
    }
    // signal(7): socket calls with a time-out are not restarted.
    match deadline(fd, direction) {
        u64::MAX => Ok((u64::MAX, Errno::RESTART_SYS)),
        deadline => Ok((deadline, Errno::INTR)),
    }
}

/// Moves data between a descriptor and buffers, as read(2), write(2) and the rest say.
async fn transfer(call: Call, fd: i32, buffers: Buffers, direction: Direction) -> SysResult {
    go_on(call, Held::new(fd), buffers, direction, None).await
}

/// The same. `first`: what the first try gave, if there was one.
async fn go_on(
    call: Call,
    file: Held,
    mut buffers: Buffers,
    direction: Direction,
    mut first: Option<SysResult>,
) -> SysResult {
    let fd = file.number();
    let total = buffers.len();
    if total == 0 {
        return call.raw();
    }
    let mut kind = fds::kind(fd);
    let mut moved = 0;
    let mut terms = None;
    loop {
        let result = match kind {
            _ if first.is_some() => first.take().unwrap_or(Err(Errno::AGAIN)),
            Kind::Unknown => return Err(Errno::BADF),
            Kind::Other => return call.in_line(),
            Kind::Regular => return regular::transfer(call, fd, direction).await,
            Kind::Anonymous if direction == Direction::Read => file.with(|fd| {
                let mut lent = Lent::for_read(call.task, fd);
                let result = buffers.try_now(fd, direction, kind);
                lent.were_read(buffers.left(), result.unwrap_or(0));
                result
            })?,
            Kind::Device if direction == Direction::Write => {
                return terminal::write(call, fd).await
            }
            Kind::Device if terminal::is_read_by_settings(fd) => {
                return terminal::read(call, &file).await;
            }
            _ => file.with(|fd| buffers.try_now(fd, direction, kind))?,
        };
        match result {
            Ok(n) => {
                if kind == Kind::Socket && direction == Direction::Read {
                    call.hub().readiness.has_read(&file, n, buffers.len());
                }
                moved += n;
                // A blocking write ends when all is written; a read when there is something, or what SO_RCVLOWAT says.
                let enough = match kind {
                    Kind::Socket if direction == Direction::Read => fds::low_water(fd),
                    _ => 1,
                };
                if direction == Direction::Read && moved >= enough.min(total)
                    || n == 0
                    || moved >= total
                    || kind == Kind::Anonymous
                {
                    return Ok(moved);
                }
                buffers.advance(n);
                if terms.is_none() && !fds::is_plain(fd) && fds::nonblocking(fd) {
                    return Ok(moved);
                }
                // The rest goes to the same file.
                if !file.hold() {
                    return Ok(moved);
                }
                continue;
            }
            Err(Errno::AGAIN) => {}
            Err(Errno::OPNOTSUPP) if kind != Kind::Socket => {
                return polled(call, &file, kind, direction).await;
            }
            Err(Errno::NOTSOCK) => {
                kind = fds::look_up(fd);
                continue;
            }
            Err(_) if moved > 0 => return Ok(moved),
            Err(e) => return broken(call, kind, Err(e)),
        }
        let (deadline, interrupt) = match terms {
            Some(terms) => terms,
            None => match would_block(fd, kind, direction) {
                Ok(new) => *terms.insert(new),
                Err(_) if moved > 0 => return Ok(moved),
                Err(e) => return Err(e),
            },
        };
        if kind == Kind::Anonymous && ready_now(fd, 0) {
            // A userfaultfd that blocks gives poll an error. Besides, its faults are there to be read only while a hub is held by one.
            return in_pool_on(call, &file).await;
        }
        if kind == Kind::Socket && direction == Direction::Read && fds::is_shut(fd) {
            return Ok(moved);
        }
        if !file.hold() {
            kind = fds::kind(fd);
            terms = None;
            continue;
        }
        if let Err(e) = wait_fd(call, &file, direction.interest(), deadline, interrupt).await {
            if moved > 0 {
                return Ok(moved);
            }
            return match e {
                // Cannot be polled after all.
                Errno::PERM => in_pool_on(call, &file).await,
                e => Err(e),
            };
        }
    }
}

/// Files without a form that cannot block (inotify, a terminal's master side): wait until poll(2) says that there is something, then let a
/// pool thread make the call, for somebody else may have taken it meanwhile.
async fn polled(call: Call, file: &Held, kind: Kind, direction: Direction) -> SysResult {
    let fd = file.fd()?;
    if fds::nonblocking(fd) {
        // Unless another thread has just changed that.
        return if file.has_waited() {
            in_pool_on(call, file).await
        } else {
            call.in_line()
        };
    }
    if kind == Kind::Anonymous && direction == Direction::Write {
        // eventfd: blocks only when its counter would overflow. Poll says whether there is room for one.
        if ready_now(fd, libc::POLLOUT) && call.args[2] == 8 {
            // SAFETY: an eventfd takes eight bytes.
            let step = unsafe { read_user(call.args[1] as *const u64) }.unwrap_or(u64::MAX);
            if step == 1 {
                return call.raw();
            }
        }
        return pool::wait_there(call.task, call.number, call.args).await;
    }
    let fits = call.number as i64 == libc::SYS_write && call.args[2] <= libc::PIPE_BUF;
    if kind == Kind::Pipe && fits && !file.has_waited() && ready_now(fd, libc::POLLOUT) {
        // A FIFO's writer, who has room for this. (Should another one take it first, the hub is relieved.)
        return call.in_line();
    }
    let mut lent = until_ready(call, file, direction, u64::MAX).await?;
    if lent.any() {
        // A signalfd of a kernel on which it has no such form; nobody else can take the task's own.
        let one = [libc::iovec {
            iov_base: call.args[1] as *mut _,
            iov_len: call.args[2],
        }];
        let result = call.raw();
        if call.number as i64 == libc::SYS_read {
            lent.were_read(&one, result.unwrap_or(0));
        }
        return result;
    }
    drop(lent);
    in_pool_on(call, file).await
}

/// Waits until poll(2) says that there is something to read, or room to write, or until the number means another file. The task's signals are still lent, if that
/// matters.
///
/// # Errors
/// `AGAIN` at the deadline; else those of the wait.
pub(crate) async fn until_ready(
    call: Call,
    file: &Held,
    direction: Direction,
    deadline: u64,
) -> Result<Lent, Errno> {
    loop {
        let lent = Lent::for_read(call.task, file.fd()?);
        if file.with(|fd| ready_now(fd, direction.events()))? {
            return Ok(lent);
        }
        if !file.hold() {
            // Another file, about which poll may tell nothing: the call itself will.
            return Ok(lent);
        }
        drop(lent);
        match wait_fd(
            call,
            file,
            direction.interest(),
            deadline,
            Errno::RESTART_SYS,
        )
        .await
        {
            Ok(()) => {}
            // Cannot be polled after all.
            Err(Errno::PERM) => return Ok(Lent::for_read(call.task, file.fd()?)),
            Err(e) => return Err(e),
        }
    }
}

/// Has a pool thread make a call that has waited for a file (its first argument) and is to get that very one.
pub(crate) async fn in_pool_on(call: Call, file: &Held) -> SysResult {
    let on = |fd: i32| {
        let mut args = call.args;
        #[allow(clippy::cast_sign_loss)]
        {
            args[0] = fd as usize;
        }
        pool::wait_there(call.task, call.number, args)
    };
    let pinned = file.pin()?;
    let result = on(pinned.fd).await;
    if result == Err(Errno(libc::EMFILE)) && pinned.ours {
        // It may have been the last number, which the call wants for itself.
        drop(pinned);
        return on(file.fd()?).await;
    }
    result
}

/// read(2) from what is not known for a regular file. What a socket or a pipe has is had without a future.
pub(crate) fn read(call: Call) -> Outcome {
    let [_, buf, len, ..] = call.args;
    let fd = number(call);
    let kind = known_kind(fd);
    if kind == Kind::Socket && len > 0 && fds::low_water(fd) > 1 {
        let receive = Call {
            number: libc::SYS_recvfrom as usize,
            args: [call.args[0], buf, len, 0, 0, 0],
            ..call
        };
        return super::socket::recvfrom(receive);
    }
    read_into(call, fd, kind, Buffers::one(buf, len))
}

/// readv(2).
pub(crate) fn readv(call: Call) -> Outcome {
    let fd = number(call);
    let kind = known_kind(fd);
    match Buffers::of(call.args[1] as *const _, call.args[2]) {
        Ok(buffers) if kind == Kind::Socket && fds::low_water(fd) > 1 => {
            super::run(call, transfer(call, fd, buffers, Direction::Read))
        }
        Ok(buffers) => read_into(call, fd, kind, buffers),
        Err(_) => call.done(call.raw()),
    }
}

fn read_into(call: Call, fd: i32, kind: Kind, buffers: Buffers) -> Outcome {
    let file = Held::new(fd);
    let len = buffers.len();
    let readiness = &call.hub().readiness;
    let tried = if kind == Kind::Socket && len > 0 && readiness.is_dry(&file) {
        Some(Err(Errno::AGAIN))
    } else {
        first(fd, kind, &buffers, Direction::Read)
    };
    match tried {
        Some(Ok(n)) => {
            if kind == Kind::Socket {
                readiness.has_read(&file, n, len);
            }
            call.done(Ok(n))
        }
        tried => super::run(call, go_on(call, file, buffers, Direction::Read, tried)),
    }
}

/// write(2) to what is not known for a regular file.
pub(crate) fn write(call: Call) -> Outcome {
    let [_, buf, len, ..] = call.args;
    write_from(call, Buffers::one(buf, len))
}

/// writev(2).
pub(crate) fn writev(call: Call) -> Outcome {
    match Buffers::of(call.args[1] as *const _, call.args[2]) {
        Ok(buffers) => write_from(call, buffers),
        Err(_) => call.done(call.raw()),
    }
}

fn write_from(call: Call, buffers: Buffers) -> Outcome {
    let fd = number(call);
    let file = Held::new(fd);
    match first(fd, known_kind(fd), &buffers, Direction::Write) {
        Some(Ok(n)) if n == buffers.len() => call.done(Ok(n)),
        tried => super::run(call, go_on(call, file, buffers, Direction::Write, tried)),
    }
}

/// The first try of a call on what is known for a socket or a pipe, as [`quick`](super::quick) makes it.
pub(super) fn at_once(hub: &Hub, number: usize, args: [usize; 6]) -> Answer {
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    let fd = args[0] as i32;
    let kind = known_kind(fd);
    if !matches!(kind, Kind::Socket | Kind::Pipe) || signal::may_calls_raise() {
        return Answer::None;
    }
    let Some(buffers) = Buffers::of_few(number, args).filter(|buffers| buffers.len() > 0) else {
        return Answer::None;
    };
    let file = Held::new(fd);
    let total = buffers.len();
    let direction = direction_of(number);
    let never_waits = fds::is_nonblocking(fd);
    if never_waits && direction == Direction::Read {
        return Answer::Plainly;
    }
    let reads = kind == Kind::Socket && direction == Direction::Read;
    if reads && (fds::low_water(fd) > 1 || hub.readiness.is_dry(&file)) {
        return Answer::None;
    }
    let result = buffers.try_now(fd, direction, kind);
    match result {
        Ok(n) if reads => {
            hub.readiness.has_read(&file, n, total);
            Answer::Is(n)
        }
        Ok(n) if n == total || direction == Direction::Read => Answer::Is(n),
        Ok(_) | Err(Errno::AGAIN) if never_waits => Answer::Is(sys::encode(result) as usize),
        result => Answer::Tried(Tried {
            result,
            generation: file.generation(),
        }),
    }
}

fn direction_of(number: usize) -> Direction {
    match number as i64 {
        libc::SYS_read | libc::SYS_readv => Direction::Read,
        _ => Direction::Write,
    }
}

/// The rest of a call whose first try has given this.
pub(super) fn tried(call: Call, tried: Tried) -> Outcome {
    let [_, at, len, ..] = call.args;
    let buffers = match call.number as i64 {
        libc::SYS_readv | libc::SYS_writev => Buffers::of(at as *const _, len),
        _ => Ok(Buffers::one(at, len)),
    };
    let Ok(buffers) = buffers else {
        // Another thread has taken the list away meanwhile.
        return call.done(tried.result);
    };
    let file = Held::of(number(call), tried.generation);
    let direction = direction_of(call.number);
    super::run(
        call,
        go_on(call, file, buffers, direction, Some(tried.result)),
    )
}

/// The first try, on what is known for a socket or a pipe.
fn first(fd: i32, kind: Kind, buffers: &Buffers, direction: Direction) -> Option<SysResult> {
    (matches!(kind, Kind::Socket | Kind::Pipe) && buffers.len() > 0)
        .then(|| buffers.try_now(fd, direction, kind))
}

fn known_kind(fd: i32) -> Kind {
    fds::entry(fd).map_or(Kind::Unknown, fds::Entry::kind)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn number(call: Call) -> i32 {
    call.args[0] as i32
}

/// preadv2(2): with flags of its own it goes as it is, to the pool if it may wait.
pub(crate) async fn preadv2(call: Call, fd: i32) -> SysResult {
    vectored2(call, fd, Direction::Read).await
}

/// pwritev2(2).
pub(crate) async fn pwritev2(call: Call, fd: i32) -> SysResult {
    vectored2(call, fd, Direction::Write).await
}

async fn vectored2(call: Call, fd: i32, direction: Direction) -> SysResult {
    let [_, list, count, offset, _, flags] = call.args;
    if flags & RWF_NOWAIT as usize != 0 {
        return call.raw();
    }
    if offset as i64 == HERE && flags == 0 && fds::kind(fd) != Kind::Regular {
        return match Buffers::of(list as *const _, count) {
            Ok(buffers) => transfer(call, fd, buffers, direction).await,
            Err(_) => call.raw(),
        };
    }
    pool::run(call.task, call.number, call.args).await
}

/// flock(2): tries first. (A conversion that must wait has given its old lock up by then, as flock(2) says; so has the wait itself.)
pub(crate) async fn flock(call: Call, _fd: i32, operation: i32) -> SysResult {
    if operation & libc::LOCK_NB != 0 {
        return call.raw();
    }
    let attempt = || {
        let mut args = call.args;
        args[1] |= libc::LOCK_NB as usize;
        // SAFETY: as the program's call, without the wait.
        match sys::check(unsafe { sys::syscall_raw(call.number, args) }) {
            Err(Errno::AGAIN) => None,
            result => Some(result),
        }
    };
    pool::wait(call.task, call.number, call.args, attempt).await
}

/// Directories' changes by signals.
const F_NOTIFY: i32 = 1026;

/// fcntl(2): waits for record locks; keeps what is known of a descriptor true.
pub(crate) async fn fcntl(call: Call, fd: i32, command: i32) -> SysResult {
    match command {
        _ if own::is_own(fd) => Err(Errno::BADF),
        8..=11 | 15 | 16 => {
            // Who gets the descriptor's signals.
            super::owner::fcntl(fd, command, call.args[2]).unwrap_or_else(|| call.raw())
        }
        libc::F_SETLKW | libc::F_OFD_SETLKW => {
            // Free locks, the common case, are had at once.
            let mut try_args = call.args;
            try_args[1] = if command == libc::F_SETLKW {
                libc::F_SETLK
            } else {
                libc::F_OFD_SETLK
            } as usize;
            // SAFETY: as the program's call, without the wait.
            match sys::check(unsafe { sys::syscall_raw(call.number, try_args) }) {
                Err(Errno(libc::EAGAIN | libc::EACCES)) => {
                    pool::wait_there(call.task, call.number, call.args).await
                }
                result => result,
            }
        }
        F_NOTIFY | libc::F_SETLEASE => {
            crate::signal::calls_raise();
            call.raw()
        }
        libc::F_SETFL => {
            let nonblocking = call.args[2] & libc::O_NONBLOCK as usize != 0;
            fds::set_flags(fd, nonblocking, || call.raw())
        }
        libc::F_GETFL if fds::hidden_nonblock(fd) => {
            call.raw().map(|f| f & !(libc::O_NONBLOCK as usize))
        }
        libc::F_DUPFD | libc::F_DUPFD_CLOEXEC => {
            fds::not_plain(fd);
            call.raw()
        }
        _ => call.raw(),
    }
}
