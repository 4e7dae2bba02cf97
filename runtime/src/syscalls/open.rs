//! Opening files. Most of it is quick, and made in line. What waits is a FIFO, for its other end, and a device, for itself: that is a
//! pool thread's.

use super::{procfs, Call};
use crate::config::{self, File};
use crate::fds::{self, Kind};
use crate::pool;
use crate::sys;
use crate::sys::{read_user, SysResult};

/// open(2).
pub(crate) async fn open(call: Call, path: *const libc::c_char, flags: i32) -> SysResult {
    opened(call, libc::AT_FDCWD, path, flags).await
}

/// openat(2).
pub(crate) async fn openat(
    call: Call,
    dir: i32,
    path: *const libc::c_char,
    flags: i32,
) -> SysResult {
    opened(call, dir, path, flags).await
}

/// creat(2).
pub(crate) async fn creat(call: Call, path: *const libc::c_char) -> SysResult {
    opened(call, libc::AT_FDCWD, path, libc::O_WRONLY).await
}

/// openat2(2).
pub(crate) async fn openat2(
    call: Call,
    dir: i32,
    path: *const libc::c_char,
    how: *const u64,
) -> SysResult {
    // SAFETY: the program's `struct open_how`, which begins with the flags.
    let flags = unsafe { read_user(how) }?;
    #[allow(clippy::cast_possible_truncation)]
    opened(call, dir, path, flags as i32).await
}

async fn opened(call: Call, dir: i32, path: *const libc::c_char, flags: i32) -> SysResult {
    if let Some((id, file)) = procfs::file_of(path, call.task.id()) {
        return procfs::open(id, file);
    }
    if flags & (libc::O_NONBLOCK | libc::O_PATH | libc::O_DIRECTORY) == 0 && waits(dir, path) {
        return pool::wait_there(call.task, call.number, call.args).await;
    }
    match config::get().file {
        File::Thread => pool::run(call.task, call.number, call.args).await,
        File::Posix | File::Block => call.in_line(),
    }
}

/// Whether opening the file may wait for somebody else. (A path that comes to mean another file before it is opened may hold the hub.)
fn waits(dir: i32, path: *const libc::c_char) -> bool {
    const MEMORY: libc::c_uint = 1;
    /// null, zero, full, random, urandom: minor numbers of the memory devices.
    const QUICK: [libc::c_uint; 5] = [3, 5, 7, 8, 9];
    // SAFETY: zero is a valid buffer.
    let mut st: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the program's path, our buffer.
    if unsafe { sys!(SYS_newfstatat, dir, path, &mut st, 0) }.is_err() {
        return false;
    }
    match st.st_mode & libc::S_IFMT {
        libc::S_IFIFO => true,
        libc::S_IFCHR => {
            libc::major(st.st_rdev) != MEMORY || !QUICK.contains(&libc::minor(st.st_rdev))
        }
        _ => false,
    }
}

/// pipe(2), pipe2(2): nobody else has the ends yet.
pub(crate) fn pipe(call: Call, ends: *const [i32; 2], flags: i32) -> SysResult {
    let done = call.raw()?;
    let flags = if call.number as i64 == libc::SYS_pipe2 {
        flags
    } else {
        0
    };
    // SAFETY: the kernel has just written them.
    for fd in unsafe { read_user(ends) }? {
        let waits = fds::Waits::unless(flags & libc::O_NONBLOCK != 0);
        fds::made(fd, Kind::Pipe, waits);
    }
    Ok(done)
}
