//! Regular files and block devices: never "not ready", but slow when the disk is asked.
//!
//! | | in line | by a pool thread |
//! |---|---|---|
//! | reads | what the page cache has (`RWF_NOWAIT`); file systems that live in memory | the rest |
//! | writes | to the page cache: a copy, as a cached read is | with O_DIRECT, O_SYNC or O_DSYNC |
//!
//! What waits for the disk after a write is fsync, which is always the pool's. `COOP_FILE=thread` makes everything the pool's, and
//! `COOP_FILE=block` nothing.

use super::file::{Buffers, Direction};
use super::{comm, Call};
use crate::config::{self, File};
use crate::fds::{self, Kind, Store};
use crate::pool;
use crate::sys;
use crate::sys::{Errno, SysResult};

/// `preadv2`: do not wait.
const RWF_NOWAIT: i32 = 8;
/// `preadv2`: at the file's own position.
const HERE: usize = usize::MAX;

/// pread(2).
pub(crate) async fn pread(call: Call, fd: i32) -> SysResult {
    positioned(call, fd, Direction::Read).await
}

/// preadv(2).
pub(crate) async fn preadv(call: Call, fd: i32) -> SysResult {
    positioned(call, fd, Direction::Read).await
}

/// pwrite(2).
pub(crate) async fn pwrite(call: Call, fd: i32) -> SysResult {
    positioned(call, fd, Direction::Write).await
}

/// pwritev(2).
pub(crate) async fn pwritev(call: Call, fd: i32) -> SysResult {
    positioned(call, fd, Direction::Write).await
}

/// Only files that have positions can be read and written at one, and those are never "not ready".
async fn positioned(call: Call, fd: i32, direction: Direction) -> SysResult {
    if fds::kind(fd) == Kind::Regular {
        transfer(call, fd, direction).await
    } else {
        call.in_line()
    }
}

/// Any of the calls that read or write, on a regular file.
pub(crate) async fn transfer(call: Call, fd: i32, direction: Direction) -> SysResult {
    if direction == Direction::Write && call.number as i64 == libc::SYS_write {
        if let Some(result) = comm::write(fd, call.args[1] as *const u8, call.args[2]) {
            return result;
        }
    }
    let by_pool = match config::get().file {
        File::Block => false,
        File::Thread => true,
        File::Posix => match (fds::store(fd), direction) {
            (Store::Cache, Direction::Read) => match cached_read(call, fd) {
                Cached::Done(result) => return result,
                Cached::Partly { read, position } => {
                    return read_rest(call, fd, read, position).await;
                }
                Cached::ItsEnd => false,
                Cached::Not => true,
                Cached::Unknown => fds::store_without_nowait(fd) != Store::Memory,
            },
            (Store::Cache | Store::Memory, _) => false,
            (Store::Slow, Direction::Read) => true,
            (Store::Slow, Direction::Write) => false,
            (Store::Device, _) => true,
        },
    };
    if by_pool {
        pool::run(call.task, call.number, call.args).await
    } else {
        call.in_line()
    }
}

/// What a try to read from the page cache came to.
enum Cached {
    Done(SysResult),
    /// So much was read, at the file's own position, which is this one now; the file has more.
    Partly {
        read: usize,
        position: usize,
    },
    /// Nothing, as at the file's end. Linux 5.9 and 5.10 say so elsewhere, too: the call itself knows.
    ItsEnd,
    Not,
    /// The file does not know `RWF_NOWAIT`.
    Unknown,
}

fn cached_read(call: Call, fd: i32) -> Cached {
    let [_, buf, len, offset, high, _] = call.args;
    let one = libc::iovec {
        iov_base: buf as *mut _,
        iov_len: len,
    };
    let list = buf as *const libc::iovec;
    let (v, count, offset, high) = match call.number as i64 {
        libc::SYS_read => (&raw const one, 1, HERE, HERE),
        libc::SYS_pread64 => (&raw const one, 1, offset, 0),
        libc::SYS_readv => (list, len, HERE, HERE),
        _ => (list, len, offset, high),
    };
    // SAFETY: the program's buffers.
    let result = unsafe { sys!(SYS_preadv2, fd, v, count, offset, high, RWF_NOWAIT) };
    let read = match result {
        Ok(0) if wanted(call) > 0 => return Cached::ItsEnd,
        Ok(n) => n,
        Err(Errno::AGAIN) => return Cached::Not,
        Err(Errno::OPNOTSUPP) => return Cached::Unknown,
        Err(e) => return Cached::Done(Err(e)),
    };
    if read == wanted(call) {
        return Cached::Done(Ok(read));
    }
    // The end of the file, or the end of what is cached?
    let position = if offset == HERE {
        // SAFETY: asks for the position.
        unsafe { sys!(SYS_lseek, fd, 0, libc::SEEK_CUR) }
    } else {
        Ok(offset + read)
    };
    match position {
        Ok(position) if position < size(fd) && offset == HERE => Cached::Partly { read, position },
        Ok(position) if position < size(fd) => Cached::Not,
        _ => Cached::Done(Ok(read)),
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
