//! A program that is waited for, but not for ever.

use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::process::{pidfd_open, Pid, PidfdFlags};

use crate::Result;

/// The child's status if it ends within `limit`.
pub fn wait_at_most(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    // Once waited for, its number may be another's.
    if let Some(status) = child.try_wait().map_err(|e| format!("wait: {e}"))? {
        return Ok(Some(status));
    }
    let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty())
        .map_err(|e| format!("pidfd_open: {e}"))?;
    if readable_within(&pidfd, limit)? {
        child.wait().map(Some).map_err(|e| format!("wait: {e}"))
    } else {
        Ok(None)
    }
}

/// Whether `fd` has something to read, or has ended, within `limit`.
pub fn readable_within(fd: impl AsFd, limit: Duration) -> Result<bool> {
    let limit = Timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(limit.subsec_nanos()),
    };
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    poll(&mut fds, Some(&limit))
        .map(|ready| ready > 0)
        .map_err(|e| format!("poll: {e}"))
}

/// How a program ended, in words.
pub fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => format!("ended: {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn waits_for_an_end_and_not_for_ever() {
        let mut quick = Command::new("/bin/sh")
            .args(["-c", "exit 3"])
            .spawn()
            .unwrap();
        let status = wait_at_most(&mut quick, Duration::from_secs(20)).unwrap();
        assert_eq!(ending(status.unwrap()), "ended with status 3");
        let again = wait_at_most(&mut quick, Duration::ZERO).unwrap();
        assert_eq!(again, status);

        let mut slow = Command::new("sleep").arg("60").spawn().unwrap();
        assert!(wait_at_most(&mut slow, Duration::from_millis(20))
            .unwrap()
            .is_none());
        slow.kill().unwrap();
        assert_eq!(ending(slow.wait().unwrap()), "was killed by signal 9");
    }
}
