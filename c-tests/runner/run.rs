//! One run of one program: its own session, its own folder, a time limit, and what came out of it.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::program::Program;

/// How a program is run.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    /// Without the library.
    Native,
    /// With the library, through a door, on so many hubs.
    Preloaded {
        /// `COOP_DOOR`
        door: &'static str,
        /// `COOP_HUBS`
        hubs: &'static str,
    },
}

impl Mode {
    /// Every mode, the oracle first.
    pub const ALL: [Mode; 5] = [
        Mode::Native,
        Mode::Preloaded {
            door: "rewrite",
            hubs: "1",
        },
        Mode::Preloaded {
            door: "rewrite",
            hubs: "2",
        },
        Mode::Preloaded {
            door: "trap",
            hubs: "1",
        },
        Mode::Preloaded {
            door: "trap",
            hubs: "2",
        },
    ];

    /// The end of a trial's name.
    pub fn name(self) -> String {
        match self {
            Mode::Native => "native".to_owned(),
            Mode::Preloaded { door, hubs } => format!("{door}-{hubs}"),
        }
    }
}

/// What a run left behind.
#[derive(Clone)]
pub struct Outcome {
    /// Exit status as a shell shows it; `None` when the program had to be killed at its time limit.
    pub status: Option<i32>,
    /// Everything written to stdout.
    pub stdout: String,
    /// Everything written to stderr.
    pub stderr: String,
}

/// Runs `executable` in `mode`; `Err` only when the run could not be made.
pub fn run(
    program: &Program,
    executable: &Path,
    mode: Mode,
    library: &Path,
) -> Result<Outcome, String> {
    let folder = Folder::create().map_err(|error| format!("no folder to run in: {error}"))?;
    attempt(program, executable, mode, library, &folder.0)
        .map_err(|error| format!("cannot run {}: {error}", executable.display()))
}

fn attempt(
    program: &Program,
    executable: &Path,
    mode: Mode,
    library: &Path,
    folder: &Path,
) -> std::io::Result<Outcome> {
    // Files rather than pipes: a child that outlives the program cannot hold the reader up.
    let (out, err) = (folder.join("stdout"), folder.join("stderr"));
    let working = folder.join("cwd");
    std::fs::create_dir(&working)?;

    let mut command = Command::new(executable);
    command
        .current_dir(working)
        .stdin(Stdio::null())
        .stdout(File::create(&out)?)
        .stderr(File::create(&err)?)
        .env_remove("LD_PRELOAD");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COOP_") {
            command.env_remove(name);
        }
    }
    if let Mode::Preloaded { door, hubs } = mode {
        command
            .env("LD_PRELOAD", library)
            .env("COOP_DOOR", door)
            .env("COOP_HUBS", hubs);
    }
    command.envs(program.env.iter().map(|(name, value)| (name, value)));
    // SAFETY: setsid and setrlimit are async-signal-safe and touch nothing of the parent's.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            let none = libc::rlimit {
                rlim_cur: 0,
                rlim_max: 0,
            };
            libc::setrlimit(libc::RLIMIT_CORE, &none);
            Ok(())
        });
    }

    let mut child = command.spawn()?;
    let in_time = ends_within(&child, program.timeout)?;
    kill_group(&child);
    let status = child.wait()?;
    Ok(Outcome {
        status: in_time.then(|| shell_status(status)),
        stdout: text(&out)?,
        stderr: text(&err)?,
    })
}

/// Waits for the child's end without reaping it, so that its process group keeps its number.
fn ends_within(child: &Child, limit: Duration) -> std::io::Result<bool> {
    // SAFETY: pidfd_open reads no memory; the child has not been reaped.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) };
    let fd = RawFd::try_from(fd).unwrap_or(-1);
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and nobody else owns it.
    let _owner = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let limit = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: one valid pollfd, which outlives the call.
    match unsafe { libc::poll(&mut poll, 1, limit) } {
        -1 => Err(std::io::Error::last_os_error()),
        ready => Ok(ready == 1),
    }
}

/// Kills whatever is left of the program's process group, itself included.
fn kill_group(child: &Child) {
    let pid = libc::pid_t::try_from(child.id()).expect("a pid fits pid_t");
    // SAFETY: the child leads a group of its own (setsid) and is not yet reaped, so -pid names it.
    unsafe { libc::kill(-pid, libc::SIGKILL) };
}

/// An exit status as a shell shows it.
fn shell_status(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

fn text(file: &Path) -> std::io::Result<String> {
    Ok(String::from_utf8_lossy(&std::fs::read(file)?).into_owned())
}

/// A folder that goes away with the run.
struct Folder(PathBuf);

impl Folder {
    fn create() -> std::io::Result<Folder> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("coop-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A leftover folder under the temporary directory harms no one.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
