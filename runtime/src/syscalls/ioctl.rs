//! ioctl(2): thousands of requests, of which few wait. Which ones is told by the request's type, its second byte.

use super::{terminal, Call};
use crate::fds;
use crate::pool;
use crate::signal;
use crate::sys::{read_user, SysResult};

/// Who gets a socket's signals (asm-generic/sockios.h).
const FIOSETOWN: u32 = 0x8901;
const SIOCSPGRP: u32 = 0x8902;

/// What is known of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waits {
    /// Answers at once: made in line.
    Never,
    /// May wait, for a device or for somebody else; or is not known.
    Maybe,
}

/// The state of a terminal set once its output is out, or output waited for: `TCSETSW`, `TCSETSF`, `TCSETAW`, `TCSETAF`, `TCSBRK`,
/// `TCSBRKP`, `TIOCMIWAIT`, `TCSETSW2`, `TCSETSF2`, `TCSETXW`, `TCSETXF` (by number: the last byte).
const TERMINAL_DRAINS: [u8; 11] = [
    0x03, 0x04, 0x07, 0x08, 0x09, 0x25, 0x5c, 0x2c, 0x2d, 0x34, 0x35,
];

fn classify(request: u32) -> Waits {
    let [number, kind, ..] = request.to_le_bytes();
    match kind {
        // Terminals, and what any descriptor knows (FIONREAD, FIOCLEX …).
        b'T' if TERMINAL_DRAINS.contains(&number) => Waits::Maybe,
        b'T' => Waits::Never,
        // Sockets and network devices; perf events; userfaultfd; epoll; namespaces; pidfds; random.
        0x89 | 0x8a | b'$' | 0xaa | 0xb7 | 0xff | b'R' => Waits::Never,
        // File attributes and versions: FS_IOC_GETFLAGS, FS_IOC_FSGETXATTR … The rest of 'X' freezes file systems, trims, copies.
        b'f' | b'v' => Waits::Never,
        b'X' if matches!(number, 31 | 32) => Waits::Never,
        // FIGETBSZ.
        0 if number == 2 => Waits::Never,
        // Devices (sound, video, disks, KVM, USB, SCSI …), seccomp's listener, btrfs, FUSE, what is not known.
        _ => Waits::Maybe,
    }
}

/// ioctl(2). `FIONBIO` sets one of a descriptor's flags.
pub(crate) async fn ioctl(call: Call, fd: i32, request: u32) -> SysResult {
    if u64::from(request) == libc::FIONBIO {
        // SAFETY: the program's word.
        let on = unsafe { read_user(call.args[2] as *const i32) };
        return fds::set_flags(fd, on.is_ok_and(|on| on != 0), || call.raw());
    }
    if matches!(request, FIOSETOWN | SIOCSPGRP) {
        signal::calls_raise();
    }
    terminal::before_request(call, fd, request).await?;
    match classify(request) {
        Waits::Never => call.in_line(),
        Waits::Maybe => pool::wait_there(call.task, call.number, call.args).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_and_what_does_not() {
        for quick in [
            libc::TCGETS,
            libc::TIOCGWINSZ,
            libc::FIONREAD,
            libc::FIONBIO,
            libc::TCSETS,
        ] {
            assert_eq!(classify(quick as u32), Waits::Never);
        }
        /// `KVM_RUN`, `VIDIOC_DQBUF`, `SECCOMP_IOCTL_NOTIF_RECV`, `SG_IO`, `FIFREEZE`
        const DEVICES: [u32; 5] = [0xae80, 0xc058_5611, 0xc050_2100, 0x2285, 0xc004_5877];
        for slow in [libc::TCSBRK, libc::TCSETSW, libc::TCSBRKP, libc::TIOCMIWAIT] {
            assert_eq!(classify(slow as u32), Waits::Maybe);
        }
        assert!(DEVICES.iter().all(|d| classify(*d) == Waits::Maybe));
    }
}
