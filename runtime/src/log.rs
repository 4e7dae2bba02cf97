//! The log: `tracing` with a writer of our own to stderr or `COOP_LOG_FILE`.
//!
//! Nothing is ever written to the program's stdout, and nothing to its stderr unless asked (`COOP_LOG`) or failing.
//! A line is one `write`, so lines of several processes do not tear.

use crate::config;
use crate::hub;
use crate::sys;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicI32, Ordering};
use tracing_subscriber::layer::SubscriberExt;

/// The descriptor that log lines go to.
static SINK: AtomicI32 = AtomicI32::new(2);

/// A fixed buffer that text is formatted into, cut when full: for messages before anything may allocate.
struct Line {
    bytes: [u8; 400],
    used: usize,
}

impl fmt::Write for Line {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let room = self.bytes.len() - 1 - self.used;
        let n = s.len().min(room);
        self.bytes[self.used..self.used + n].copy_from_slice(&s.as_bytes()[..n]);
        self.used += n;
        Ok(())
    }
}

/// Says one line on stderr, whatever the log level: for failures that a user must see. Allocates nothing.
pub fn complain(what: fmt::Arguments<'_>) {
    let mut line = Line {
        bytes: [0; 400],
        used: 0,
    };
    let _ = write!(line, "libcoop: {what}");
    line.bytes[line.used] = b'\n';
    write_all(2, &line.bytes[..=line.used]);
}

fn write_all(fd: i32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: writes from a live slice.
        match unsafe { sys!(SYS_write, fd, bytes.as_ptr(), bytes.len()) } {
            Ok(n) if n > 0 => bytes = &bytes[n..],
            _ => return,
        }
    }
}

/// A `tracing` layer that formats an event into one line on the stack and writes it to the sink.
///
/// tracing-subscriber's own formatter keeps its buffer in a thread-local with a destructor, and registering that takes a lock inside
/// libc that a parked task may hold (dlopen's). This has no thread-local and allocates nothing.
struct Lines;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let sink = SINK.load(Ordering::Relaxed);
        if sink != 2 && hub::current().is_some_and(hub::Hub::has_own_files) {
            // The log file is not among the thread's descriptors.
            return;
        }
        let mut line = Line {
            bytes: [0; 400],
            used: 0,
        };
        let _ = write!(
            line,
            "libcoop[{}] {:>5} ",
            std::process::id(),
            event.metadata().level()
        );
        event.record(&mut line);
        line.bytes[line.used] = b'\n';
        write_all(sink, &line.bytes[..=line.used]);
    }
}

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self, "{value:?}"),
            name => write!(self, " {name}={value:?}"),
        };
    }
}

/// Opens the log file, if one is configured, and starts `tracing`. Called once, when the process is converted;
/// a second call (in a forked child that converts anew) changes nothing.
pub fn start() {
    let config = config::get();
    if let Some(path) = config.log_file {
        let path = path.replace("%p", &std::process::id().to_string());
        match std::ffi::CString::new(path.as_str()) {
            Ok(c) => {
                let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND | libc::O_CLOEXEC;
                // SAFETY: `c` is a C string.
                let open = || unsafe { sys!(SYS_openat, libc::AT_FDCWD, c.as_ptr(), flags, 0o644) };
                match crate::own::make(open) {
                    Ok(fd) => SINK.store(fd, Ordering::Relaxed),
                    Err(e) => complain(format_args!(
                        "COOP_LOG_FILE: cannot open {path}: {e}; logging to stderr"
                    )),
                }
            }
            Err(_) => complain(format_args!(
                "COOP_LOG_FILE: {path:?} is no path; logging to stderr"
            )),
        }
    }
    // The usual hook allocates: a panic inside the heap would wait for itself, and everybody for it.
    std::panic::set_hook(Box::new(|info| {
        complain(format_args!("a bug in the library: {info}"));
        crate::signal::abort()
    }));
    let subscriber = tracing_subscriber::registry().with(config.log).with(Lines);
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// The log file is about to be closed, in a forked child or with the other descriptors of a process that stays native.
pub(crate) fn forget_file() {
    // Without a store there is no page for a forked child to copy.
    if SINK.load(Ordering::Relaxed) != 2 {
        SINK.store(2, Ordering::Relaxed);
    }
}

/// Writes text that was asked for (a dump) to the sink.
pub fn emit(text: &str) {
    write_all(SINK.load(Ordering::Relaxed), text.as_bytes());
}
