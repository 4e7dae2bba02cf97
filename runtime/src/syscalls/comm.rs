//! Names of other threads: `pthread_setname_np` and `pthread_getname_np` go through `/proc/self/task/ID/comm`, where the kernel does
//! not know tasks. Such an open gives a memory file that holds the name; a write to it sets the task's.

use crate::sys;
use crate::sys::{read_user, Errno, SysResult};
use crate::task::{self, lock};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

/// Open name files: descriptor and task.
static OPEN: Mutex<Vec<(i32, i32)>> = Mutex::new(Vec::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The task whose name file a path is.
pub(crate) fn task_of(path: *const libc::c_char) -> Option<i32> {
    const PREFIX: &[u8] = b"/proc/self/task/";
    let byte = |i: usize| {
        // SAFETY: a C string of the program's, read no further than it matches.
        unsafe { read_user(path.cast::<u8>().wrapping_add(i)) }.ok()
    };
    if !PREFIX.iter().enumerate().all(|(i, b)| byte(i) == Some(*b)) {
        return None;
    }
    let (mut at, mut id) = (PREFIX.len(), 0i32);
    while let Some(digit) = byte(at).filter(u8::is_ascii_digit) {
        id = id.checked_mul(10)?.checked_add(i32::from(digit - b'0'))?;
        at += 1;
    }
    b"/comm\0"
        .iter()
        .enumerate()
        .all(|(i, b)| byte(at + i) == Some(*b))
        .then_some(id)
}

/// Opens a task's name file.
pub(crate) fn open(id: i32) -> SysResult {
    let task = task::find(id).ok_or(Errno(libc::ENOENT))?;
    let name = task.name.get();
    let len = name.iter().position(|b| *b == 0).unwrap_or(15);
    let mut text = name[..len].to_vec();
    text.push(b'\n');
    // SAFETY: makes a memory file and fills it.
    let fd = unsafe {
        let fd = sys!(SYS_memfd_create, c"comm".as_ptr(), libc::MFD_CLOEXEC)?;
        sys!(SYS_pwrite64, fd, text.as_ptr(), text.len(), 0)?;
        fd
    };
    let mut open = lock(&OPEN);
    open.push((i32::try_from(fd).unwrap_or(-1), id));
    COUNT.store(open.len(), Ordering::Release);
    Ok(fd)
}

/// A write to a descriptor: sets a name if it is a name file.
pub(crate) fn write(fd: i32, from: *const u8, len: usize) -> Option<SysResult> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return None;
    }
    let id = lock(&OPEN).iter().find(|(f, _)| *f == fd)?.1;
    let mut name = [0u8; 16];
    for (i, byte) in name.iter_mut().take(15.min(len)).enumerate() {
        // SAFETY: the program's buffer.
        match unsafe { read_user(from.wrapping_add(i)) } {
            Ok(b) => *byte = b,
            Err(e) => return Some(Err(e)),
        }
    }
    Some(task::find(id).ok_or(Errno::SRCH).map(|task| {
        task.name.set(name);
        len
    }))
}

/// A descriptor is closed.
pub(crate) fn closed(fd: i32) {
    if COUNT.load(Ordering::Acquire) != 0 {
        let mut open = lock(&OPEN);
        open.retain(|(f, _)| *f != fd);
        COUNT.store(open.len(), Ordering::Release);
    }
}

/// In a forked child that begins anew.
pub(crate) fn reset() {
    lock(&OPEN).clear();
    COUNT.store(0, Ordering::Release);
}
