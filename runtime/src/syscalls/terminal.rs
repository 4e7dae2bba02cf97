//! Terminals: what poll(2) tells of them, and job control.
//!
//! A process in the background that reads its terminal, changes it, or writes to it under TOSTOP gets SIGTTIN or SIGTTOU, which stop it
//! by default; or EIO, if nobody could continue it; or it is let through, if it blocks or ignores the signal. The kernel goes by the
//! mask of the thread that makes the call. Here that is one that blocks everything, so that the kernel would say EIO to reads and let
//! the rest through. So before such a call the runtime looks whether the process is in the background, and does what the kernel's
//! `tty_check_change` does for the task.

use super::close::Held;
use super::file::{in_pool_on, until_ready, Direction};
use super::Call;
use crate::config::{self, Close};
use crate::fds;
use crate::future::{sleep_until, Woken};
use crate::pool;
use crate::signal;
use crate::sys;
use crate::sys::{Errno, SysResult};
use std::sync::atomic::Ordering;

/// How long a handler may take to begin before the signal is sent again, in ns.
const AGAIN: u64 = 10_000_000;

/// A terminal's settings; `None` for what is none.
fn settings(fd: i32) -> Option<libc::termios> {
    // SAFETY: zero is a valid buffer, larger than what the kernel fills.
    let mut settings: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    let got = unsafe { sys!(SYS_ioctl, fd, libc::TCGETS, &mut settings) };
    got.is_ok().then_some(settings)
}

/// Whether a descriptor is the other side of a terminal that a program shows (`ptmx`): there is no job control for it.
fn is_master(fd: i32) -> bool {
    let mut number = 0;
    // SAFETY: the kernel writes a number.
    unsafe { sys!(SYS_ioctl, fd, libc::TIOCGPTN, &mut number) }.is_ok()
}

/// Whether a character device is a terminal that is read by lines and by its settings. (Of a master, poll knows all there is to know.)
pub(crate) fn is_read_by_settings(fd: i32) -> bool {
    settings(fd).is_some() && !is_master(fd)
}

/// Until when a read waits for what poll says of a first byte or of enough of them (`u64::MAX`: for ever). `None`: it does not wait.
fn first_byte_until(fd: i32) -> Option<u64> {
    /// VTIME's unit in ns.
    const TENTH: u64 = 100_000_000;
    let settings = settings(fd)?;
    if settings.c_lflag & libc::ICANON != 0 || settings.c_cc[libc::VMIN] > 0 {
        return Some(u64::MAX);
    }
    let time = u64::from(settings.c_cc[libc::VTIME]) * TENTH;
    (time > 0).then(|| sys::now(libc::CLOCK_MONOTONIC) + time)
}

/// read(2) and readv(2) of a terminal.
pub(crate) async fn read(call: Call, file: &Held) -> SysResult {
    loop {
        let fd = file.fd()?;
        may_use(call, fd, libc::SIGTTIN).await?;
        let result = if fds::nonblocking(fd) {
            call.raw()
        } else {
            // The kernel waits best: when the process was stopped and goes on in the background, its read looks again. Only closes
            // that are to end waits need one that is seen here. (The time between two bytes, of at most 25 s, is left to the kernel.)
            if config::get().close == Close::Wake && !is_background(fd) {
                if let Some(deadline) = first_byte_until(fd) {
                    match until_ready(call, file, Direction::Read, deadline).await {
                        Err(Errno::AGAIN) => return Ok(0),
                        ready => drop(ready?),
                    }
                }
            }
            in_pool_on(call, file).await
        };
        // Put into the background since it looked: the kernel's EIO is not for the task.
        if result != Err(Errno(libc::EIO)) || !is_for(call, fd, libc::SIGTTIN) {
            return result;
        }
    }
}

/// write(2) and writev(2) to a character device: the likes of /dev/null take anything at once, a terminal may be stopped.
pub(crate) async fn write(call: Call, fd: i32) -> SysResult {
    let Some(settings) = settings(fd) else {
        return call.in_line();
    };
    if settings.c_lflag & libc::TOSTOP != 0 {
        may_use(call, fd, libc::SIGTTOU).await?;
    }
    if fds::nonblocking(fd) {
        return call.in_line();
    }
    pool::wait_there(call.task, call.number, call.args).await
}

/// Requests that change a terminal, by number: `TCSETS`, `TCSETSW`, `TCSETSF`, `TCSETA`, `TCSETAW`, `TCSETAF`, `TCSBRK`, `TCXONC`, `TCFLSH`,
/// `TIOCSPGRP`, `TIOCSETD`, `TCSBRKP`, `TIOCSBRK`, `TIOCCBRK`, `TCSETS2`, `TCSETSW2`, `TCSETSF2`, `TCSETX`, `TCSETXF`, `TCSETXW`.
const CHANGES: [u8; 20] = [
    0x02, 0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x10, 0x23, 0x25, 0x27, 0x28, 0x2b, 0x2c,
    0x2d, 0x33, 0x34, 0x35,
];

/// Before an ioctl(2) on a terminal.
pub(crate) async fn before_request(call: Call, fd: i32, request: u32) -> Result<(), Errno> {
    let [number, kind, ..] = request.to_le_bytes();
    if kind != b'T' || !CHANGES.contains(&number) {
        return Ok(());
    }
    match may_use(call, fd, libc::SIGTTOU).await {
        Err(Errno(libc::EIO)) if u64::from(request) == libc::TIOCSPGRP => Err(Errno(libc::ENOTTY)),
        result => result,
    }
}

/// Returns once the process may use its terminal, or the task's answer to the signal is known.
async fn may_use(call: Call, fd: i32, signal: i32) -> Result<(), Errno> {
    while is_for(call, fd, signal) {
        let group = own_group();
        if is_orphaned(group) {
            return Err(Errno(libc::EIO));
        }
        // SAFETY: sends a signal to the own process group.
        let _ = unsafe { sys!(SYS_kill, -group, signal) };
        // It stops the process here, or makes a task run a handler. If that is another task, this one is where it was.
        signal::consider(signal);
        let next = sys::now(libc::CLOCK_MONOTONIC) + AGAIN;
        if sleep_until(call.task, next).await == Woken::Signal {
            return Err(Errno::RESTART_SYS);
        }
    }
    Ok(())
}

/// Whether the process is in the background of this terminal, and the task would take the signal for that.
fn is_for(call: Call, fd: i32, signal: i32) -> bool {
    is_background(fd)
        && call.task.mask.load(Ordering::Relaxed) & signal::bit(signal) == 0
        && signal::action(signal).handler != libc::SIG_IGN
}

fn is_background(fd: i32) -> bool {
    let mut foreground = 0i32;
    // SAFETY: the kernel writes a number. It refuses for terminals that are not the process's own.
    let known = unsafe { sys!(SYS_ioctl, fd, libc::TIOCGPGRP, &mut foreground) }.is_ok();
    known && foreground > 0 && foreground != own_group() && !is_master(fd)
}

fn own_group() -> i32 {
    group_of(0).unwrap_or(0)
}

fn group_of(process: i32) -> Option<i32> {
    // SAFETY: plain numbers.
    unsafe { sys!(SYS_getpgid, process) }
        .ok()
        .and_then(|g| i32::try_from(g).ok())
}

fn session_of(process: i32) -> Option<i32> {
    // SAFETY: plain numbers.
    unsafe { sys!(SYS_getsid, process) }
        .ok()
        .and_then(|s| i32::try_from(s).ok())
}

/// Whether nobody is there to continue a stopped process group: no member has a parent in another group of the same session.
fn is_orphaned(group: i32) -> bool {
    let session = session_of(0);
    let has_keeper = |parent: i32| {
        parent > 1 && group_of(parent) != Some(group) && session_of(parent) == session
    };
    // SAFETY: takes no arguments.
    let parent = unsafe { sys!(SYS_getppid) }.unwrap_or(0);
    if has_keeper(i32::try_from(parent).unwrap_or(0)) {
        return false;
    }
    !parents_in(group).any(has_keeper)
}

/// The parents of a process group's members, from /proc.
fn parents_in(group: i32) -> impl Iterator<Item = i32> {
    processes().into_iter().filter_map(move |process| {
        if group_of(process) != Some(group) {
            return None;
        }
        // The fourth field; the second, the name, is in parentheses and may have any in it.
        let stat = read_whole(&format!("/proc/{process}/stat\0"))?;
        let after_name = stat.iter().rposition(|b| *b == b')')? + 1;
        let mut fields = std::str::from_utf8(&stat[after_name..])
            .ok()?
            .split_ascii_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        (!matches!(state, "Z" | "X")).then_some(parent)
    })
}

fn processes() -> Vec<i32> {
    /// `struct linux_dirent64`: where the length and the name are.
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    let mut found = Vec::new();
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: opens, reads into our buffer, closes.
    unsafe {
        let Ok(dir) = sys!(SYS_openat, libc::AT_FDCWD, c"/proc".as_ptr(), flags) else {
            return found;
        };
        let mut buffer = vec![0u8; 32 << 10];
        while let Ok(n @ 1..) = sys!(SYS_getdents64, dir, buffer.as_mut_ptr(), buffer.len()) {
            let mut left = &buffer[..n];
            while left.len() > NAME {
                let length = usize::from(u16::from_ne_bytes([left[LENGTH], left[LENGTH + 1]]));
                let name = left[NAME..length].split(|b| *b == 0).next();
                found.extend(name.and_then(|n| std::str::from_utf8(n).ok()?.parse::<i32>().ok()));
                left = &left[length..];
            }
        }
        let _ = sys!(SYS_close, dir);
    }
    found
}

/// The first of a small file's bytes; the path ends with a zero.
fn read_whole(path: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0u8; 1024];
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: opens, reads into our buffer, closes.
    unsafe {
        let file = sys!(SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags).ok()?;
        let got = sys!(SYS_read, file, bytes.as_mut_ptr(), bytes.len());
        let _ = sys!(SYS_close, file);
        bytes.truncate(got.ok()?);
    }
    Some(bytes)
}
