//! The ways to run one and the same program.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{getrlimit, setrlimit, Resource};
use rustix::thread::{sched_getaffinity, sched_setaffinity, CpuSet};

use crate::Result;

/// How a program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// As it is.
    Native,
    /// As it is, with all its threads on one CPU: no wake-up crosses CPUs, which is native threading at its best in
    /// a game of ping-pong and at its worst under load.
    NativeOneCpu,
    /// Under libcoop with a single hub.
    CoopOneHub,
    /// Under libcoop with as many hubs as it chooses.
    Coop,
    /// Not the same program: the hand-written epoll server, natively, where there is one to compare with.
    Epoll,
}

impl Mode {
    /// The modes of a program that comes in one version.
    pub const USUAL: [Mode; 4] = [
        Mode::Native,
        Mode::NativeOneCpu,
        Mode::CoopOneHub,
        Mode::Coop,
    ];

    /// The modes of the echo server.
    pub const ECHO: [Mode; 5] = [
        Mode::Native,
        Mode::NativeOneCpu,
        Mode::CoopOneHub,
        Mode::Coop,
        Mode::Epoll,
    ];

    /// The name in the JSON report.
    pub fn key(self) -> &'static str {
        match self {
            Mode::Native => "native",
            Mode::NativeOneCpu => "native-one-cpu",
            Mode::CoopOneHub => "coop-one-hub",
            Mode::Coop => "coop",
            Mode::Epoll => "epoll",
        }
    }

    /// The name in the tables.
    pub fn label(self) -> &'static str {
        match self {
            Mode::Native => "native",
            Mode::NativeOneCpu => "native, one CPU",
            Mode::CoopOneHub => "libcoop, one hub",
            Mode::Coop => "libcoop",
            Mode::Epoll => "epoll by hand",
        }
    }

    /// Whether the library is in it.
    pub fn is_coop(self) -> bool {
        matches!(self, Mode::CoopOneHub | Mode::Coop)
    }

    /// The command that runs `program` this way. `library` is needed by the modes that have it in them.
    pub fn command(self, program: &Path, library: &Path) -> Result<Command> {
        let mut command = Command::new(program);
        // What the caller preloads, or how many hubs he is used to, must not turn one mode into another.
        command.env_remove("LD_PRELOAD").env_remove("COOP_HUBS");
        if self.is_coop() {
            command.env("LD_PRELOAD", library);
        }
        match self {
            Mode::CoopOneHub => {
                command.env("COOP_HUBS", "1");
            }
            Mode::NativeOneCpu => {
                let cpu = last_cpu()?;
                // SAFETY: the closure makes one system call on values of its own: nothing that a child forked from a
                // process with threads may not do.
                unsafe { command.pre_exec(move || Ok(sched_setaffinity(None, &cpu)?)) };
            }
            Mode::Native | Mode::Coop | Mode::Epoll => {}
        }
        Ok(command)
    }
}

/// The last of the CPUs this process may use: the first is the one that other work piles up on.
fn last_cpu() -> Result<CpuSet> {
    let allowed = sched_getaffinity(None).map_err(|e| format!("sched_getaffinity: {e}"))?;
    let last = (0..CpuSet::MAX_CPU)
        .rev()
        .find(|&cpu| allowed.is_set(cpu))
        .ok_or("no CPU to run on")?;
    let mut one = CpuSet::new();
    one.set(last);
    Ok(one)
}

/// The CPUs this process may use.
pub fn cpus() -> u32 {
    sched_getaffinity(None).map_or(1, |set| set.count())
}

/// The library under test: `COOP_LIB`, or the one that lies beside this executable, as one `cargo build` leaves them.
pub fn library() -> Result<PathBuf> {
    let path = match std::env::var_os("COOP_LIB") {
        Some(path) => PathBuf::from(path),
        None => std::env::current_exe()
            .map_err(|e| format!("where am I? {e}"))?
            .with_file_name("libcoop.so"),
    };
    // ld.so would say one line and go on without it: figures of native against native.
    path.canonicalize().map_err(|e| {
        format!(
            "no library at {}: {e} (build it, or name it in COOP_LIB)",
            path.display()
        )
    })
}

/// Takes as many file descriptors as the system lets this process have; its children inherit them.
pub fn raise_file_limit() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).map_err(|e| format!("setrlimit: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(mode: Mode, script: &str) -> String {
        let mut command = mode
            .command(Path::new("/bin/sh"), Path::new("/nowhere/libcoop.so"))
            .unwrap();
        let out = command.args(["-c", script]).output().unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_string()
    }

    #[test]
    fn only_the_coop_modes_preload() {
        let show = "echo $LD_PRELOAD:$COOP_HUBS";
        assert_eq!(output(Mode::Native, show), ":");
        assert_eq!(output(Mode::Epoll, show), ":");
        assert_eq!(output(Mode::Coop, show), "/nowhere/libcoop.so:");
        assert_eq!(output(Mode::CoopOneHub, show), "/nowhere/libcoop.so:1");
    }

    #[test]
    fn one_cpu_is_one_cpu() {
        assert_eq!(output(Mode::NativeOneCpu, "nproc"), "1");
        assert_eq!(output(Mode::Native, "nproc"), cpus().to_string());
    }
}
