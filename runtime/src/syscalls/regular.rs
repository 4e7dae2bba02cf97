//! Regular files and block devices: never "not ready", but slow when the disk is asked.
//!
//! | | in line | by a pool thread |
//! |---|---|---|
//! | reads | what the page cache has (`RWF_NOWAIT`, or plainly, after many that it had: [`super::trust`]); file systems that live in memory | the rest |
//! | writes | to the page cache: a copy, as a cached read is | with O_DIRECT, O_SYNC or O_DSYNC |
//!
//! What waits for the disk after a write is fsync, which is always the pool's. `COOP_FILE=thread` makes everything the pool's, and
//! `COOP_FILE=block` nothing.

use super::file::{self, Buffers, Direction};
use super::quick::Answer;
use super::{procfs, Call, Outcome};
use crate::config::{self, File};
use crate::fds::{self, Kind, Store};
use crate::pool;
use crate::sys;
use crate::sys::{Errno, SysResult};

/// `preadv2`: do not wait.
const RWF_NOWAIT: i32 = 8;
/// A plain read of more than this gains nothing to speak of.
const SMALL: usize = 16 << 10;
/// `preadv2`: at the file's own position.
const HERE: usize = usize::MAX;

/// read(2), of whatever it may be. A call on a regular file that need not wait has no future to be built.
pub(crate) fn read(call: Call) -> Outcome {
    if !sys::is_range(call.args[1], call.args[2]) {
        return Outcome::InLine;
    }
    match known(call) {
        Some(fd) => made(call, fd, Direction::Read),
        None => file::read(call),
    }
}

/// write(2), of whatever it may be.
pub(crate) fn write(call: Call) -> Outcome {
    if !sys::is_range(call.args[1], call.args[2]) {
        return Outcome::InLine;
    }
    match known(call) {
        Some(fd) => made(call, fd, Direction::Write),
        None => file::write(call),
    }
}

/// pread(2) and preadv(2). Only files that have positions can be read at one, and those are never "not ready".
pub(crate) fn pread(call: Call) -> Outcome {
    positioned(call, Direction::Read)
}

/// pwrite(2) and pwritev(2).
pub(crate) fn pwrite(call: Call) -> Outcome {
    positioned(call, Direction::Write)
}

fn positioned(call: Call, direction: Direction) -> Outcome {
    let fd = number(call);
    // Of buffers only the short calls tell here. A negative position is an error, and means another thing to what these calls become.
    let [_, buf, len, offset, ..] = call.args;
    let is_short = [libc::SYS_pread64, libc::SYS_pwrite64].contains(&(call.number as i64));
    if (offset as i64) < 0 || is_short && !sys::is_range(buf, len) {
        return Outcome::InLine;
    }
    if fds::kind(fd) == Kind::Regular {
        made(call, fd, direction)
    } else {
        Outcome::InLine
    }
}

/// The call's descriptor, if it is known for a regular file.
fn known(call: Call) -> Option<i32> {
    let fd = number(call);
    is_known(call.args[0]).then_some(fd)
}

/// Whether a descriptor, as a register has it, is known for a regular file.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
pub(super) fn is_known(fd: usize) -> bool {
    fds::entry(fd as i32).is_some_and(|e| e.kind() == Kind::Regular)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn number(call: Call) -> i32 {
    call.args[0] as i32
}

/// read(2) and pread(2), as [`quick`](super::quick) answers them: of what the page cache has.
pub(super) fn cached_now(number: usize, args: [usize; 6]) -> Answer {
    let [fd, buf, len, offset, ..] = args;
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    let fd = fd as i32;
    let is_cached = |e: &&fds::Entry| e.kind() == Kind::Regular && e.store() == Store::Cache;
    let Some(entry) = fds::entry(fd).filter(is_cached) else {
        return Answer::None;
    };
    let here = number as i64 == libc::SYS_read;
    // (Errors are for who makes the call as it is.)
    if config::get().file != File::Posix || !sys::is_range(buf, len) || !here && (offset as i64) < 0
    {
        return Answer::None;
    }
    if len <= SMALL && entry.cached.goes_unseen() {
        return Answer::Plainly;
    }
    let one = libc::iovec {
        iov_base: buf as *mut _,
        iov_len: len,
    };
    let (offset, high) = if here { (HERE, HERE) } else { (offset, 0) };
    // SAFETY: the program's buffer.
    match unsafe { sys!(SYS_preadv2, fd, &one, 1, offset, high, RWF_NOWAIT) } {
        Ok(n) if n == len => {
            entry.cached.went_well();
            Answer::Is(n)
        }
        Ok(n) if here && n > 0 => Answer::Partly(n),
        _ => Answer::None,
    }
}

/// A read(2) has read so much of what is cached, and not all that it asks for.
pub(super) fn go_on(call: Call, read: usize) -> Outcome {
    let fd = number(call);
    follow(call, after(call, fd, read))
}

/// Makes the call, and has the task wait if it must.
fn made(call: Call, fd: i32, direction: Direction) -> Outcome {
    follow(call, attempt(call, fd, direction))
}

fn follow(call: Call, attempt: Attempt) -> Outcome {
    match attempt {
        Attempt::Done(result) => call.done(result),
        Attempt::InLine => Outcome::InLine,
        Attempt::ByPool => super::run(call, pool::run(call.task, call.number, call.args)),
        Attempt::Partly { read, position } => {
            super::run(call, read_rest(call, number(call), read, position))
        }
    }
}

/// Any of the calls that read or write, on a regular file.
pub(crate) async fn transfer(call: Call, fd: i32, direction: Direction) -> SysResult {
    match attempt(call, fd, direction) {
        Attempt::Done(result) => result,
        Attempt::InLine => call.in_line(),
        Attempt::ByPool => pool::run(call.task, call.number, call.args).await,
        Attempt::Partly { read, position } => read_rest(call, fd, read, position).await,
    }
}

/// What is to become of a call.
enum Attempt {
    Done(SysResult),
    InLine,
    ByPool,
    /// So much was read, at the file's own position, which is this one now; the file has more.
    Partly {
        read: usize,
        position: usize,
    },
}

fn attempt(call: Call, fd: i32, direction: Direction) -> Attempt {
    if direction == Direction::Write && call.number as i64 == libc::SYS_write {
        if let Some(result) = procfs::write(fd, call.args[1] as *const u8, call.args[2]) {
            return Attempt::Done(result);
        }
    }
    match config::get().file {
        File::Block => return Attempt::InLine,
        File::Thread => return Attempt::ByPool,
        File::Posix => {}
    }
    match (fds::store(fd), direction) {
        (Store::Cache, Direction::Read) => cached_read(call, fd),
        (Store::Cache | Store::Slow, Direction::Write) | (Store::Memory, _) => Attempt::InLine,
        (Store::Slow, Direction::Read) | (Store::Device, _) => Attempt::ByPool,
    }
}

fn cached_read(call: Call, fd: i32) -> Attempt {
    let [_, buf, len, offset, high, _] = call.args;
    let one = libc::iovec {
        iov_base: buf as *mut _,
        iov_len: len,
    };
    let list = buf as *const libc::iovec;
    let (v, count) = match call.number as i64 {
        libc::SYS_read | libc::SYS_pread64 => (&raw const one, 1),
        _ => (list, len),
    };
    let (offset, high) = match call.number as i64 {
        libc::SYS_pread64 => (offset, 0),
        _ if is_here(call) => (HERE, HERE),
        _ => (offset, high),
    };
    // SAFETY: the program's buffers.
    let result = unsafe { sys!(SYS_preadv2, fd, v, count, offset, high, RWF_NOWAIT) };
    match result {
        // The end of the file. Linux 5.9 and 5.10 say so elsewhere, too: the call itself knows.
        Ok(0) if wanted(call) > 0 => Attempt::InLine,
        Ok(read) => after(call, fd, read),
        Err(Errno::AGAIN) => by_pool(fd),
        Err(Errno::OPNOTSUPP) => match fds::store_without_nowait(fd) {
            Store::Memory => Attempt::InLine,
            _ => Attempt::ByPool,
        },
        Err(e) => Attempt::Done(Err(e)),
    }
}

/// The page cache does not have what is to be read.
fn by_pool(fd: i32) -> Attempt {
    missed(fd);
    Attempt::ByPool
}

fn missed(fd: i32) {
    if let Some(entry) = fds::entry(fd) {
        entry.cached.went_wrong();
    }
}

/// Whether a call reads at the file's own position.
fn is_here(call: Call) -> bool {
    [libc::SYS_read, libc::SYS_readv].contains(&(call.number as i64))
}

/// What is to become of a call that has read so much.
fn after(call: Call, fd: i32, read: usize) -> Attempt {
    if read == wanted(call) {
        return Attempt::Done(Ok(read));
    }
    // The end of the file, or the end of what is cached?
    let here = is_here(call);
    let position = if here {
        // SAFETY: asks for the position.
        unsafe { sys!(SYS_lseek, fd, 0, libc::SEEK_CUR) }
    } else {
        Ok(call.args[3] + read)
    };
    match position {
        Ok(position) if position < size(fd) && here => {
            missed(fd);
            Attempt::Partly { read, position }
        }
        Ok(position) if position < size(fd) => by_pool(fd),
        _ => Attempt::Done(Ok(read)),
    }
}

/// How many bytes a call asks for; its list of buffers was good for a read.
fn wanted(call: Call) -> usize {
    match call.number as i64 {
        libc::SYS_read | libc::SYS_pread64 => call.args[2],
        _ => Buffers::of(call.args[1] as *const _, call.args[2]).map_or(0, |b| b.len()),
    }
}

/// A file's size; a device's is not told, and it has always more.
fn size(fd: i32) -> usize {
    // SAFETY: zero is a valid buffer, and the kernel fills it.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    match unsafe { sys!(SYS_fstat, fd, &mut st) } {
        Ok(_) if st.st_mode & libc::S_IFMT == libc::S_IFREG => {
            usize::try_from(st.st_size).unwrap_or(0)
        }
        Ok(_) => usize::MAX,
        Err(_) => 0,
    }
}

/// Natively only the end of the file makes a read short, and programs count on that. The rest is read where it is, and the position
/// moved after it, unless somebody else moved it meanwhile: then this read ends where it was. Two readers of one open file thus get
/// each byte once, and each gets bytes that are one piece.
async fn read_rest(call: Call, fd: i32, read: usize, position: usize) -> SysResult {
    let generation = fds::entry(fd).map(fds::Entry::generation);
    let mut buffers = match call.number as i64 {
        libc::SYS_read => Buffers::one(call.args[1], call.args[2]),
        _ => Buffers::of(call.args[1] as *const _, call.args[2])?,
    };
    buffers.advance(read);
    let mut rest = 0;
    while let Some(next) = buffers.left().first().copied() {
        let args = [
            call.args[0],
            next.iov_base as usize,
            next.iov_len,
            position + rest,
            0,
            0,
        ];
        let Ok(n) = pool::run(call.task, libc::SYS_pread64 as usize, args).await else {
            break;
        };
        rest += n;
        if n < next.iov_len {
            break;
        }
        buffers.advance(n);
    }
    if fds::entry(fd).map(fds::Entry::generation) != generation {
        return Ok(read);
    }
    // SAFETY: asks for the position, and moves it.
    unsafe {
        if sys!(SYS_lseek, fd, 0, libc::SEEK_CUR) != Ok(position) {
            return Ok(read);
        }
        let _ = sys!(SYS_lseek, fd, position + rest, libc::SEEK_SET);
    }
    Ok(read + rest)
}
