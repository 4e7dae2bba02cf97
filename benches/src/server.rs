//! An echo server as a process: started, looked into while it serves, and stopped.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::child::{ending, readable_within, wait_at_most};
use crate::mode::Mode;
use crate::Result;

/// How long a server may take to say its port, and to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server. Dropped, it is killed; [`Server::stop`] asks it to end.
pub struct Server {
    child: Child,
    address: SocketAddr,
}

/// What the kernel says about the server at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// OS threads.
    pub threads: u64,
    /// Resident memory in bytes.
    pub resident: u64,
    /// CPU time that all its threads, alive or gone, have used so far.
    pub cpu: Duration,
}

impl Server {
    /// Starts `program` and waits until it has said which port it listens on.
    pub fn start(mode: Mode, program: &Path, library: &Path) -> Result<Server> {
        let mut child = mode
            .command(program, library)?
            .stdin(Stdio::piped()) // it serves until this ends, so it cannot outlive us
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut server = Server {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        };
        let mut line = String::new();
        // The line is printed by one write, so when a byte is there the whole line is.
        if readable_within(&stdout, PATIENCE)? {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(|e| format!("the server's port: {e}"))?;
        }
        match line.trim().parse() {
            Ok(port) => {
                server.address.set_port(port);
                Ok(server)
            }
            Err(_) if line.is_empty() => Err(server.obituary("before it said its port")),
            Err(_) => Err(format!("the server's port should be a number: {line:?}")),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Looks into the process from outside.
    pub fn sample(&self) -> Result<Sample> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
        let field = |key: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(key))
                .and_then(|rest| rest.split_whitespace().next())
                .and_then(|number| number.parse::<u64>().ok())
                .ok_or_else(|| format!("no {key} in {path}: the server has ended"))
        };
        Ok(Sample {
            threads: field("Threads:")?,
            resident: field("VmRSS:")? * 1024,
            cpu: cpu_time(self.child.id())?,
        })
    }

    /// Ends its standard input and waits for it to quit of its own accord. An error if it had ended before, or does
    /// not quit.
    pub fn stop(mut self) -> Result<()> {
        let early = matches!(self.child.try_wait(), Ok(Some(_)));
        drop(self.child.stdin.take());
        match wait_at_most(&mut self.child, PATIENCE)? {
            Some(status) if !status.success() => Err(format!("the server {}", ending(status))),
            Some(_) if early => Err("the server quit while it should have served".into()),
            Some(_) => Ok(()),
            None => Err("the server does not quit when its input ends".into()),
        }
    }

    /// What became of a server that does not answer.
    fn obituary(&mut self, when: &str) -> String {
        match wait_at_most(&mut self.child, Duration::from_millis(500)) {
            Ok(Some(status)) => format!("the server {} {when}", ending(status)),
            Ok(None) => format!("the server hangs {when}"),
            Err(e) => e,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has already been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The CPU clock of a process: user and system time together, in nanoseconds where /proc has 10 ms ticks.
fn cpu_time(pid: u32) -> Result<Duration> {
    let pid = libc::pid_t::try_from(pid).map_err(|e| e.to_string())?;
    let mut clock: libc::clockid_t = 0;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: both calls only write to the variable they are given.
    let failed = unsafe {
        libc::clock_getcpuclockid(pid, &mut clock) != 0 || libc::clock_gettime(clock, &mut time) < 0
    };
    if failed {
        return Err("the server has no CPU clock: it has ended".into());
    }
    let seconds = u64::try_from(time.tv_sec).map_err(|e| e.to_string())?;
    let nanos = u32::try_from(time.tv_nsec).map_err(|e| e.to_string())?;
    Ok(Duration::new(seconds, nanos))
}
