//! What the kernel says of the process in its status file (proc(5)) and by no system call. The file is held open: a number that comes and
//! goes would be in the program's way. It is that of the receiver's thread.

use crate::own;
use crate::sys;
use std::sync::atomic::{AtomicI32, Ordering};

/// -1 without `/proc`.
static STATUS: AtomicI32 = AtomicI32::new(-1);

/// Opens it, on the thread that will be the receiver.
pub(crate) fn open() {
    STATUS.store(own::open(c"/proc/thread-self/status"), Ordering::Release);
}

/// The signals that are pending for the receiver's thread alone; 0 if that is not known.
pub(crate) fn pending_for_receiver() -> u64 {
    field("SigPnd:", |set| u64::from_str_radix(set, 16).ok()).unwrap_or(0)
}

/// How many numbers the kernel's table of the process's descriptors has.
pub(crate) fn descriptor_table_size() -> Option<usize> {
    field("FDSize:", |size| size.parse().ok())
}

fn field<T>(name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let mut text = [0u8; 4096];
    let status = STATUS.load(Ordering::Acquire);
    // From the beginning it is made anew. SAFETY: reads into the buffer.
    let got = unsafe { sys!(SYS_pread64, status, text.as_mut_ptr(), text.len(), 0) };
    // Not all need be UTF-8: the program's name is there, too.
    let mut lines = text[..got.ok()?].split(|b| *b == b'\n');
    let value = lines.find_map(|line| line.strip_prefix(name.as_bytes()))?;
    parse(std::str::from_utf8(value).ok()?.trim())
}
