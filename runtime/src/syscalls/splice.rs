//! Calls that move data between two descriptors, or between memory and a pipe, without a buffer in between.
//!
//! Between pipes `SPLICE_F_NONBLOCK` keeps them from waiting, so tee(2), vmsplice(2) and a splice(2) of two pipes are tried. With
//! other files the flag is a half measure: a pool thread makes the call, once both ends may be ready.

use super::close::Held;
use super::{wait_with_others, Call};
use crate::config::{self, File};
use crate::fds::{self, Kind};
use crate::hub::readiness::{READ, WRITE};
use crate::pool;
use crate::signal;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::syscalls::poll::ready_now;

const NONBLOCK: u32 = libc::SPLICE_F_NONBLOCK;

/// tee(2).
pub(crate) async fn tee(call: Call, input: i32, out: i32, _length: usize, flags: u32) -> SysResult {
    between_pipes(call, [input, out], 3, flags).await
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
    if pipes == [true, true] && from == 0 && to == 0 {
        return between_pipes(call, [input, out], 5, flags).await;
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
    if flags & NONBLOCK == 0 && may_wait {
        ready(call, input, libc::POLLIN, READ).await?;
        ready(call, out, libc::POLLOUT, WRITE).await?;
    }
    in_pool(call, call.args).await
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
async fn between_pipes(call: Call, [input, out]: [i32; 2], at: usize, flags: u32) -> SysResult {
    let mut args = call.args;
    args[at] |= NONBLOCK as usize;
    loop {
        // SAFETY: the program's call, without the wait.
        match sys::check(unsafe { sys::syscall_raw(call.number, args) }) {
            Err(Errno::AGAIN) => {}
            result => return here(call, result),
        }
        if flags & NONBLOCK != 0 || fds::nonblocking(input) || fds::nonblocking(out) {
            return Err(Errno::AGAIN);
        }
        ready(call, input, libc::POLLIN, READ).await?;
        ready(call, out, libc::POLLOUT, WRITE).await?;
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
    let mut args = call.args;
    args[3] |= NONBLOCK as usize;
    // SAFETY: reads flags.
    let mode = unsafe { sys!(SYS_fcntl, fd, libc::F_GETFL) }? & libc::O_ACCMODE as usize;
    let (wanted, interest) = if mode == libc::O_RDONLY as usize {
        (libc::POLLIN, READ)
    } else {
        (libc::POLLOUT, WRITE)
    };
    loop {
        // SAFETY: the program's call, without the wait.
        match sys::check(unsafe { sys::syscall_raw(call.number, args) }) {
            Err(Errno::AGAIN) if flags & NONBLOCK == 0 && !fds::nonblocking(fd) => {}
            result => return here(call, result),
        }
        ready(call, fd, wanted, interest).await?;
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
    if fds::kind(out) != Kind::Socket || fds::nonblocking(out) {
        if !from_file {
            ready(call, input, libc::POLLIN, READ).await?;
        }
        if fds::kind(out) != Kind::Regular && !fds::nonblocking(out) {
            ready(call, out, libc::POLLOUT, WRITE).await?;
        }
        return in_pool(call, call.args).await;
    }
    /// No call moves more (`MAX_RW_COUNT`).
    const MOST: usize = 0x7fff_f000;
    let length = length.min(MOST);
    let mut sent = 0;
    loop {
        let mut args = call.args;
        args[3] = (length - sent).min(room(out));
        let piece = match ready(call, out, libc::POLLOUT, WRITE).await {
            Ok(()) => in_pool(call, args).await,
            Err(e) => Err(e),
        };
        match piece {
            Ok(n) => {
                sent += n;
                if n == 0 || sent >= length {
                    return Ok(sent);
                }
            }
            Err(_) if sent > 0 => return Ok(sent),
            Err(e) => return Err(e),
        }
    }
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

/// Waits until a descriptor may be ready, if it blocks and can be polled.
async fn ready(call: Call, fd: i32, wanted: i16, interest: u32) -> Result<(), Errno> {
    if fds::nonblocking(fd) {
        return Ok(());
    }
    let file = Held::new(fd);
    let (deadline, interrupt) = if fds::kind(fd) == Kind::Socket {
        let direction = match interest {
            READ => super::file::Direction::Read,
            _ => super::file::Direction::Write,
        };
        super::file::would_block(fd, Kind::Socket, direction)?
    } else {
        (u64::MAX, Errno::RESTART_SYS)
    };
    while !file.with(|fd| ready_now(fd, wanted))? {
        if !file.hold() {
            // Another file, about which poll may tell nothing: the call itself will.
            break;
        }
        match wait_with_others(call, &file, interest, deadline, interrupt).await {
            Ok(()) => {}
            Err(Errno::PERM) => break,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

async fn in_pool(call: Call, args: [usize; 6]) -> SysResult {
    pool::wait_there(call.task, call.number, args).await
}

/// What a call on the hub's thread gave; a SIGPIPE with it is the task's.
fn here(call: Call, result: SysResult) -> SysResult {
    signal::forward_caused(call.task, result);
    result
}
