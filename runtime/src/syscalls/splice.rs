//! Calls that move data between two descriptors, or between memory and a pipe, without a buffer in between.
//!
//! Between pipes `SPLICE_F_NONBLOCK` keeps them from waiting, so tee(2), vmsplice(2) and a splice(2) of two pipes are tried. With
//! other files the flag is a half measure: with a socket that has O_NONBLOCK, too, the call is made in line; else a pool thread makes it, once both ends
//! may be ready.

use super::close::{Held, Pinned};
use super::file::{would_block, Direction};
use super::{wait_with_others, Call};
use crate::config::{self, File};
use crate::fds::{self, Kind};
use crate::pool;
use crate::signal;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::syscalls::poll::ready_now;

const NONBLOCK: u32 = libc::SPLICE_F_NONBLOCK;

/// tee(2).
pub(crate) async fn tee(call: Call, input: i32, out: i32, _length: usize, flags: u32) -> SysResult {
    between_pipes(call, Ends::new([0, 1], [input, out]), 3, flags).await
}

/// splice(2).
pub(crate) async fn splice(
    call: Call,
    input: i32,
    from: usize,
    out: i32,
    to: usize,
    _length: usize,
    flags: u32,
) -> SysResult {
    let kinds = [input, out].map(fds::kind);
    let pipes = kinds.map(|kind| kind == Kind::Pipe);
    let ends = Ends::new([0, 2], [input, out]);
    if pipes == [true, true] && from == 0 && to == 0 {
        return between_pipes(call, ends, 5, flags).await;
    }
    // What is wrong is told at once, and by the kernel.
    let is_wrong = pipes == [false, false]
        || pipes[0] && from != 0
        || pipes[1] && to != 0
        || !may(input, libc::O_RDONLY)
        || !may(out, libc::O_WRONLY);
    if is_wrong {
        return call.in_line();
    }
    // Of other files most cannot be spliced at all: that is told at once, too.
    let may_wait = kinds
        .iter()
        .all(|kind| [Kind::Pipe, Kind::Socket, Kind::Device, Kind::Regular].contains(kind));
    let waits_for_nothing = |(kind, fd)| match kind {
        Kind::Pipe => flags & NONBLOCK != 0,
        Kind::Socket => fds::nonblocking(fd),
        _ => false,
    };
    if kinds.into_iter().zip([input, out]).all(waits_for_nothing) {
        return call.in_line();
    }
    if flags & NONBLOCK == 0 && may_wait {
        ends.ready(call).await?;
    }
    ends.in_pool(call, call.args).await
}

/// The two files of a call, as it means them: those that the numbers stood for when it began, or when it first had to wait.
struct Ends {
    /// Which arguments they are: what is read, and what is written.
    at: [usize; 2],
    files: [Held; 2],
}

impl Ends {
    fn new(at: [usize; 2], numbers: [i32; 2]) -> Self {
        Self {
            at,
            files: numbers.map(Held::new),
        }
    }

    /// Waits until both may be ready.
    async fn ready(&self, call: Call) -> Result<(), Errno> {
        self.readable(call).await?;
        self.writable(call).await
    }

    async fn readable(&self, call: Call) -> Result<(), Errno> {
        ready(call, &self.files[0], Direction::Read, || self.hold()).await
    }

    async fn writable(&self, call: Call) -> Result<(), Errno> {
        ready(call, &self.files[1], Direction::Write, || self.hold()).await
    }

    /// As [`Held::hold`]: who waits for one file keeps the other, too.
    fn hold(&self) -> bool {
        self.files.iter().all(Held::hold)
    }

    /// Numbers that go on meaning the files, whatever the program does meanwhile.
    fn pin(&self) -> Result<[Pinned; 2], Errno> {
        Ok([self.files[0].pin()?, self.files[1].pin()?])
    }

    /// The call's arguments with these numbers.
    #[allow(clippy::cast_sign_loss)]
    fn among(&self, mut args: [usize; 6], pinned: &[Pinned; 2]) -> [usize; 6] {
        for (at, end) in self.at.iter().zip(pinned) {
            args[*at] = end.fd as usize;
        }
        args
    }

    async fn in_pool(&self, call: Call, args: [usize; 6]) -> SysResult {
        let pinned = self.pin()?;
        pool::wait_there(call.task, call.number, self.among(args, &pinned)).await
    }
}

/// Whether a file is open for this way of access.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn may(fd: i32, way: i32) -> bool {
    // SAFETY: reads flags.
    unsafe { sys!(SYS_fcntl, fd, libc::F_GETFL) }.is_ok_and(|flags| {
        let flags = flags as i32;
        flags & libc::O_PATH == 0 && [way, libc::O_RDWR].contains(&(flags & libc::O_ACCMODE))
    })
}

/// Tries a call with flags at `at` between two pipes until neither makes it wait.
async fn between_pipes(call: Call, ends: Ends, at: usize, flags: u32) -> SysResult {
    let mut args = call.args;
    args[at] |= NONBLOCK as usize;
    loop {
        let pinned = ends.pin()?;
        let tried = ends.among(args, &pinned);
        // SAFETY: the program's call, without the wait.
        match sys::check(unsafe { sys::syscall_raw(call.number, tried) }) {
            Err(Errno::AGAIN) => {}
            result => return here(call, result),
        }
        if flags & NONBLOCK != 0 || pinned.iter().any(|end| fds::nonblocking(end.fd)) {
            return Err(Errno::AGAIN);
        }
        drop(pinned);
        ends.ready(call).await?;
    }
}

/// vmsplice(2).
pub(crate) async fn vmsplice(
    call: Call,
    fd: i32,
    _list: usize,
    _count: usize,
    flags: u32,
) -> SysResult {
    let file = Held::new(fd);
    // SAFETY: reads flags.
    let mode = unsafe { sys!(SYS_fcntl, fd, libc::F_GETFL) }? & libc::O_ACCMODE as usize;
    let direction = if mode == libc::O_RDONLY as usize {
        Direction::Read
    } else {
        Direction::Write
    };
    let attempt = |fd: i32| {
        let mut args = call.args;
        #[allow(clippy::cast_sign_loss)]
        {
            args[0] = fd as usize;
        }
        args[3] |= NONBLOCK as usize;
        // SAFETY: the program's call, without the wait.
        let result = sys::check(unsafe { sys::syscall_raw(call.number, args) });
        let waits = result == Err(Errno::AGAIN) && flags & NONBLOCK == 0 && !fds::nonblocking(fd);
        (result, waits)
    };
    loop {
        match file.with(attempt)? {
            (_, true) => ready(call, &file, direction, || file.hold()).await?,
            (result, false) => return here(call, result),
        }
    }
}

/// sendfile(2). A blocking one ends when all is sent: to a socket in pieces for which there is room, so that a slow reader on the
/// other side holds no thread.
pub(crate) async fn sendfile(
    call: Call,
    out: i32,
    input: i32,
    _offset: usize,
    length: usize,
) -> SysResult {
    let from_file = fds::kind(input) == Kind::Regular;
    if from_file && fds::nonblocking(out) && config::get().file != File::Thread {
        // It waits for nothing but the disk.
        return call.in_line();
    }
    let ends = Ends::new([1, 0], [input, out]);
    if fds::kind(out) != Kind::Socket || fds::nonblocking(out) {
        if !from_file {
            ends.readable(call).await?;
        }
        if fds::kind(out) != Kind::Regular {
            ends.writable(call).await?;
        }
        return ends.in_pool(call, call.args).await;
    }
    /// No call moves more (`MAX_RW_COUNT`).
    const MOST: usize = 0x7fff_f000;
    let length = length.min(MOST);
    let mut sent = 0;
    loop {
        match piece(call, &ends, length - sent).await {
            Ok(n) => {
                sent += n;
                // The rest goes from and to the same files.
                if n == 0 || sent >= length || !ends.hold() {
                    return Ok(sent);
                }
            }
            Err(_) if sent > 0 => return Ok(sent),
            Err(e) => return Err(e),
        }
    }
}

/// Sends as much of `left` as there is room for, once there is some.
async fn piece(call: Call, ends: &Ends, left: usize) -> SysResult {
    ends.writable(call).await?;
    let mut args = call.args;
    args[3] = left.min(ends.files[1].with(room)?);
    ends.in_pool(call, args).await
}

/// How much a socket that poll calls writable takes without waiting; a guess on the safe side.
fn room(fd: i32) -> usize {
    /// `SK_MEMINFO_VARS`; the send buffer's size, and what is in it.
    const WORDS: usize = 9;
    const SNDBUF: usize = 3;
    const WMEM_QUEUED: usize = 5;
    const SO_MEMINFO: i32 = 55;
    const LEAST: usize = 4096;
    let (mut words, mut len) = ([0u32; WORDS], WORDS * 4);
    // SAFETY: both are valid for writing.
    let _ = unsafe {
        sys!(
            SYS_getsockopt,
            fd,
            libc::SOL_SOCKET,
            SO_MEMINFO,
            &mut words,
            &mut len
        )
    };
    // Half of it: the kernel's own bookkeeping counts as well.
    (words[SNDBUF].saturating_sub(words[WMEM_QUEUED]) as usize / 2).max(LEAST)
}

/// Waits until a file may be ready, if it blocks and can be polled. `hold` keeps what the call goes on with.
async fn ready(
    call: Call,
    file: &Held,
    direction: Direction,
    hold: impl Fn() -> bool,
) -> Result<(), Errno> {
    let mut terms = None;
    while !file.with(|fd| ready_now(fd, direction.events()))? {
        let (deadline, interrupt) = match terms {
            Some(terms) => terms,
            None => {
                let fd = file.fd()?;
                match would_block(fd, fds::kind(fd), direction) {
                    Err(Errno::AGAIN) => break,
                    new => *terms.insert(new?),
                }
            }
        };
        if !hold() {
            // Another file, about which poll may tell nothing: the call itself will.
            break;
        }
        match wait_with_others(call, file, direction.interest(), deadline, interrupt).await {
            Ok(()) => {}
            Err(Errno::PERM) => break,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// What a call on the hub's thread gave; a SIGPIPE with it is the task's.
fn here(call: Call, result: SysResult) -> SysResult {
    signal::forward_caused(call.task, result);
    result
}
