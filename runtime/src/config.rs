//! The configuration: every environment variable from one definition.
//!
//! The table below is what the library reads, what it says of a bad value, and what the README's table must hold
//! (a test compares them). Values are read once, when the library is loaded, without allocating: a program that
//! never creates a thread must not notice that anything happened.

use std::ffi::CStr;
use std::sync::{Mutex, OnceLock, PoisonError};

/// How syscall sites are caught.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Door {
    /// Sites are rewritten; what cannot be rewritten is trapped.
    #[default]
    Rewrite,
    /// Everything is trapped by Syscall User Dispatch.
    Trap,
}

/// How file descriptors are served, as gevent's `GEVENT_FILE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum File {
    /// Readiness for what can be polled, the pool for regular files that would block.
    #[default]
    Posix,
    /// Every call on a regular file goes to the pool.
    Thread,
    /// Calls on regular files run in line, whatever they cost.
    Block,
}

/// What closing a descriptor does to the tasks that wait on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Close {
    /// As Linux: the waiter keeps its open file alive.
    #[default]
    Native,
    /// As gevent: the waits end with `EBADF`.
    Wake,
}

/// How much is logged.
pub use tracing::level_filters::LevelFilter as Level;

/// One environment variable: its name, what it takes, its default, and what it does.
#[derive(Debug)]
pub struct Variable {
    /// The variable's name.
    pub name: &'static str,
    /// The values it takes.
    pub values: &'static str,
    /// What holds when it is unset or bad.
    pub default: &'static str,
    /// What it does.
    pub text: &'static str,
}

macro_rules! variables {
    ($( $(#[doc = $text:literal])+ $field:ident: $ty:ty = $name:literal, $values:literal, $default:literal, $initial:expr, $parse:expr; )+) => {
        /// The configuration in force.
        #[derive(Clone, Copy, Debug)]
        pub struct Config { $( $(#[doc = $text])+ pub $field: $ty, )+ }

        /// Every variable, in the order of the README's table.
        pub const VARIABLES: &[Variable] = &[$( Variable {
            name: $name, values: $values, default: $default, text: concat!($($text),+) } ),+];

        impl Config {
            /// Reads the environment; calls `bad` with the variable and the value for each that it cannot use.
            fn read(get: impl Fn(&CStr) -> Option<&'static str>, mut bad: impl FnMut(&Variable, &str)) -> Self {
                let mut at = 0;
                $( let $field = {
                    // SAFETY: the literal ends in the NUL that concat! adds, and holds no other.
                    let name = unsafe { CStr::from_bytes_with_nul_unchecked(concat!($name, "\0").as_bytes()) };
                    let parse: fn(&'static str) -> Option<$ty> = $parse;
                    let value = match get(name) {
                        None => $initial,
                        Some(text) => parse(text).unwrap_or_else(|| { bad(&VARIABLES[at], text); $initial }),
                    };
                    at += 1;
                    value
                }; )+
                let _ = at;
                Self { $( $field ),+ }
            }
        }
    };
}

variables! {
    /// How many worker threads (hubs) carry the tasks.
    hubs: usize = "COOP_HUBS", "1 to 128", "the CPUs the process may use", 0,
        |v| v.parse().ok().filter(|n| (1..=MAX_HUBS).contains(n));
    /// How calls are caught: rewritten syscall sites, or Syscall User Dispatch for all of them.
    door: Door = "COOP_DOOR", "rewrite, trap", "rewrite", Door::Rewrite,
        |v| match v { "rewrite" => Some(Door::Rewrite), "trap" => Some(Door::Trap), _ => None };
    /// How regular files are served: in line when cached and else by the pool, always by the pool, or always in line.
    file: File = "COOP_FILE", "posix, thread, block", "posix", File::Posix,
        |v| match v { "posix" => Some(File::Posix), "thread" => Some(File::Thread), "block" => Some(File::Block), _ => None };
    /// What closing a descriptor does to tasks that wait on it: nothing, as Linux, or end the waits with EBADF, as gevent.
    close: Close = "COOP_CLOSE", "native, wake", "native", Close::Native,
        |v| match v { "native" => Some(Close::Native), "wake" => Some(Close::Wake), _ => None };
    /// The stack size in KiB given to threads that ask for the default; 0 leaves the program's own default.
    stack: usize = "COOP_STACK", "0, or 16 to 1048576 (KiB)", "0", 0,
        |v| v.parse().ok().filter(|n| *n == 0 || (16..=1 << 20).contains(n));
    /// For how many milliseconds a task may compute while others of its hub wait.
    slice: u16 = "COOP_SLICE", "1 to 1000 (ms)", "10", 10,
        |v| v.parse().ok().filter(|n| (1..=1000).contains(n));
    /// What is logged.
    log: Level = "COOP_LOG", "off, error, warn, info, debug, trace", "error", Level::ERROR,
        |v| v.parse().ok();
    /// The file that gets the log and the dumps, instead of stderr; %p becomes the process id.
    log_file: Option<&'static str> = "COOP_LOG_FILE", "a path", "stderr", None,
        |v| Some(Some(v).filter(|v| !v.is_empty()));
    /// What happens when every task waits for a lock or the like and nothing can wake any: nothing, or a report of who waits for whom.
    deadlock: bool = "COOP_DEADLOCK", "off, report", "off", false,
        |v| match v { "off" => Some(false), "report" => Some(true), _ => None };
    /// A signal that makes the library write a dump of all tasks (to COOP_LOG_FILE or stderr) and is not given to the program.
    dump_signal: i32 = "COOP_DUMP_SIGNAL", "a signal, as USR2 or 12", "none", 0, signal_number;
    /// 1 adds LD_PRELOAD and the COOP_ variables that were there at start to the environment of programs started with one of their own.
    children: bool = "COOP_CHILDREN", "0, 1", "1", true, flag;
    /// The names of the only programs whose threads become tasks; others run natively.
    only: Option<&'static str> = "COOP_ONLY", "names, separated by commas", "all programs", None,
        |v| Some(Some(v).filter(|v| !v.is_empty()));
    /// The names of programs that run natively.
    skip: Option<&'static str> = "COOP_SKIP", "names, separated by commas", "none", None,
        |v| Some(Some(v).filter(|v| !v.is_empty()));
    /// 1 leaves the program alone altogether.
    disable: bool = "COOP_DISABLE", "0, 1", "0", false, flag;
    /// 0 sets thread pointers with arch_prctl even where the CPU has wrfsbase (slower; for tests).
    fsgsbase: bool = "COOP_FSGSBASE", "0, 1", "1", true, flag;
    /// For tests: pretend that something is missing or in the way: no-crossing, no-doors, no-rings, shadow-stack.
    simulate: Simulate = "COOP_SIMULATE", "no-crossing, no-doors, no-rings, shadow-stack", "nothing", Simulate::Nothing,
        |v| match v { "" => Some(Simulate::Nothing), "no-crossing" => Some(Simulate::NoCrossing), "no-doors" => Some(Simulate::NoDoors),
            "no-rings" => Some(Simulate::NoRings), "shadow-stack" => Some(Simulate::ShadowStack), _ => None };
}

/// A feature that tests pretend to be missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Simulate {
    /// All is as it is.
    Nothing,
    /// Neither wrfsbase nor arch_prctl can set the thread pointer.
    NoCrossing,
    /// Sites can neither be rewritten nor trapped.
    NoDoors,
    /// The kernel has no io_uring.
    NoRings,
    /// There is a shadow stack.
    ShadowStack,
}

/// The most hubs there can be.
pub const MAX_HUBS: usize = 128;

fn flag(v: &'static str) -> Option<bool> {
    match v {
        "0" | "" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn signal_number(v: &'static str) -> Option<i32> {
    const NAMES: &[(&str, i32)] = &[
        ("HUP", libc::SIGHUP),
        ("INT", libc::SIGINT),
        ("QUIT", libc::SIGQUIT),
        ("USR1", libc::SIGUSR1),
        ("USR2", libc::SIGUSR2),
        ("WINCH", libc::SIGWINCH),
        ("IO", libc::SIGIO),
        ("PWR", libc::SIGPWR),
    ];
    let name = v.strip_prefix("SIG").unwrap_or(v);
    let known = NAMES.iter().find(|(n, _)| *n == name).map(|(_, s)| *s);
    known
        .or_else(|| name.parse().ok())
        .filter(|s| (1..=64).contains(s) && *s != libc::SIGKILL && *s != libc::SIGSTOP)
}

static CONFIG: OnceLock<Config> = OnceLock::new();

/// The configuration in force; the defaults before [`load`] was called.
pub fn get() -> &'static Config {
    CONFIG.get_or_init(|| Config::read(|_| None, |_, _| ()))
}

/// Reads the environment, once. Each bad value is named by one line on stderr, and its default is used.
pub fn load() -> &'static Config {
    CONFIG.get_or_init(|| {
        Config::read(
            |name| {
                // SAFETY: called while the process has one thread, so nothing changes the environment; its strings stay.
                let value = unsafe { libc::getenv(name.as_ptr()) };
                if value.is_null() {
                    return None;
                }
                // SAFETY: getenv gave a C string that lives in the environment block.
                unsafe { CStr::from_ptr(value) }.to_str().ok().map(keep)
            },
            |v, value| {
                crate::log::complain(format_args!(
                    "{}={value} is not one of: {}; going on with the default ({})",
                    v.name, v.values, v.default
                ))
            },
        )
    })
}

/// A copy of a value: some programs overwrite the environment's memory, to change their title. What finds no room stays where it is.
fn keep(value: &'static str) -> &'static str {
    static KEPT: Mutex<([u8; libc::PATH_MAX as usize], usize)> =
        Mutex::new(([0; libc::PATH_MAX as usize], 0));
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let (bytes, used) = &mut *kept;
    let Some(place) = bytes.get_mut(*used..*used + value.len()) else {
        return value;
    };
    place.copy_from_slice(value.as_bytes());
    *used += value.len();
    // SAFETY: the bytes are a static's, UTF-8 as the value's, and nobody writes them again.
    unsafe {
        std::str::from_utf8_unchecked(std::slice::from_raw_parts(place.as_ptr(), place.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> (Config, Vec<String>) {
        let mut bad = Vec::new();
        let config = Config::read(
            |n| (n.to_str() == Ok(name)).then_some(value),
            |v, text| bad.push(format!("{}={text}", v.name)),
        );
        (config, bad)
    }

    #[test]
    fn good_values_are_taken() {
        assert_eq!(with("COOP_HUBS", "3").0.hubs, 3);
        assert_eq!(with("COOP_DOOR", "trap").0.door, Door::Trap);
        assert_eq!(
            with("COOP_DUMP_SIGNAL", "SIGUSR2").0.dump_signal,
            libc::SIGUSR2
        );
        assert_eq!(with("COOP_LOG", "debug").0.log, Level::DEBUG);
    }

    #[test]
    fn bad_values_are_named_and_the_default_used() {
        for (name, value) in [
            ("COOP_HUBS", "0"),
            ("COOP_HUBS", "abc"),
            ("COOP_DOOR", "window"),
            ("COOP_DISABLE", "yes"),
        ] {
            let (config, bad) = with(name, value);
            assert_eq!(bad, [format!("{name}={value}")]);
            assert_eq!(config.hubs, 0);
            assert_eq!(config.door, Door::Rewrite);
            assert!(!config.disable);
        }
    }

    #[test]
    fn the_readme_lists_every_variable() {
        let readme = include_str!("../../README.md");
        for v in VARIABLES {
            assert!(
                readme.contains(&format!("`{}`", v.name)),
                "README.md does not name {}",
                v.name
            );
        }
    }
}
