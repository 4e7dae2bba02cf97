//! The dump: every task, what it waits for, where and since when.

use crate::hub;
use crate::syscalls::table;
use crate::task;
use crate::{config, sys};
use std::fmt::Write;
use std::sync::atomic::Ordering;

/// Whether the time at which waits begin is kept: only when somebody can ask for it.
#[inline]
pub(crate) fn timing() -> bool {
    config::get().dump_signal != 0
}

/// Writes the dump to the log's sink.
pub(crate) fn write() {
    let now = sys::now(libc::CLOCK_MONOTONIC_COARSE);
    let mut text = format!("libcoop: {}\n", hub::summary());
    let _ = writeln!(
        text,
        "{:>10} {:<16} {:>3} {:<20} {:>18} {:>10}",
        "ID", "NAME", "HUB", "IN", "ARGUMENT", "SINCE"
    );
    for task in task::all() {
        let call = task.call.load(Ordering::Relaxed);
        let name = task.name_text();
        let since = match task.waits_since.load(Ordering::Relaxed) {
            _ if call < 0 => String::new(),
            0 => "-".into(),
            since => format!("{:.3} s", now.saturating_sub(since) as f64 / 1e9),
        };
        let state = if call >= 0 {
            table::name(call)
        } else if task.turn.is_claimed() && task.away.worker() == 0 {
            "ready"
        } else {
            "running"
        };
        let argument = if call >= 0 {
            format!("{:#x}", task.waits_on.load(Ordering::Relaxed))
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "{:>10} {name:<16} {:>3} {state:<20} {argument:>18} {since:>10}",
            task.id(),
            task.hub().index
        );
    }
    crate::log::emit(&text);
}
