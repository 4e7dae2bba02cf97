//! Files of threads in proc(5), where the kernel does not know tasks: `/proc/self/task/ID/comm` (or `/proc/thread-self/comm`), through which `pthread_setname_np` and
//! `pthread_getname_np` go, and `…/stat`, which tells what a thread is at and what CPU time it has used. Opening one gives a memory file with
//! what it says at that time; a write to a name file sets the task's name.

use crate::hub::cpu;
use crate::own;
use crate::signal;
use crate::sys;
use crate::sys::{read_user, Errno, SysResult};
use crate::task::{self, lock, Task};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

/// Open name files: descriptor and task.
static OPEN: Mutex<Vec<(i32, i32)>> = Mutex::new(Vec::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// What there is to know of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum File {
    Comm,
    Stat,
}

/// Which file of which task a path is, for a task with this id.
pub(crate) fn file_of(path: *const libc::c_char, own: i32) -> Option<(i32, File)> {
    const PROC: &[u8] = b"/proc/";
    const SELF: &[u8] = b"self";
    const THREAD_SELF: &[u8] = b"thread-self";
    const TASK: &[u8] = b"/task/";
    const NAMES: [(&[u8], File); 2] = [(b"/comm\0", File::Comm), (b"/stat\0", File::Stat)];
    // SAFETY: a C string of the program's, read no further than it matches.
    let byte = |i: usize| unsafe { read_user(path.cast::<u8>().wrapping_add(i)) }.ok();
    let is = |text: &[u8], at: usize| (at..).zip(text).all(|(i, b)| byte(i) == Some(*b));
    let number = |mut at: usize| {
        let mut number = 0i32;
        while let Some(digit) = byte(at).filter(u8::is_ascii_digit) {
            number = number
                .checked_mul(10)?
                .checked_add(i32::from(digit - b'0'))?;
            at += 1;
        }
        Some((at, number))
    };
    let named = |at: usize, id: i32| {
        let (_, file) = NAMES.into_iter().find(|(name, _)| is(name, at))?;
        Some((id, file))
    };
    if !is(PROC, 0) {
        return None;
    }
    let at = PROC.len();
    if is(THREAD_SELF, at) {
        return named(at + THREAD_SELF.len(), own);
    }
    let at = if is(SELF, at) {
        at + SELF.len()
    } else {
        let (at, id) = number(at)?;
        if id != task::main()?.id() {
            task::find(id)?;
            return named(at, id);
        }
        at
    };
    if !is(TASK, at) {
        return None;
    }
    let (at, id) = number(at + TASK.len())?;
    named(at, id)
}

/// Opens a task's file.
pub(crate) fn open(id: i32, file: File) -> SysResult {
    let task = task::find(id).ok_or(Errno(libc::ENOENT))?;
    let text = match file {
        File::Comm => [&task.name_bytes(), b"\n".as_slice()].concat(),
        File::Stat => stat(task)?,
    };
    // SAFETY: makes a memory file and fills it.
    let fd = unsafe {
        let fd = sys!(SYS_memfd_create, c"task".as_ptr(), libc::MFD_CLOEXEC)?;
        sys!(SYS_pwrite64, fd, text.as_ptr(), text.len(), 0)?;
        fd
    };
    if file == File::Comm {
        let mut open = lock(&OPEN);
        open.push((i32::try_from(fd).unwrap_or(-1), id));
        COUNT.store(open.len(), Ordering::Release);
    }
    Ok(fd)
}

/// The line of proc_pid_stat(5): that of this OS thread, with what is the task's own.
fn stat(task: &'static Task) -> Result<Vec<u8>, Errno> {
    /// `USER_HZ`: in which times are told.
    const TICK: u64 = 1_000_000_000 / 100;
    let mut line = [0u8; 1024];
    let file = own::open(c"/proc/thread-self/stat");
    // SAFETY: reads into the buffer.
    let read = unsafe { sys!(SYS_read, file, line.as_mut_ptr(), line.len()) };
    if file >= 0 {
        own::close(file);
    }
    let len = read?;
    // Behind the name, in which there can be anything.
    let name_end = line[..len].iter().rposition(|b| *b == b')');
    let rest = name_end.map_or(&[][..], |end| &line[end + 1..len]);
    let rest = std::str::from_utf8(rest).map_err(|_| Errno(libc::EIO))?;
    let usage = sys::usage(libc::RUSAGE_SELF)?;
    let [user, kernel] = [usage.ru_utime, usage.ru_stime].map(sys::microseconds);
    let used = cpu::so_far(task);
    let in_kernel = u128::from(used) * u128::from(kernel) / u128::from((user + kernel).max(1));
    let in_kernel = u64::try_from(in_kernel).unwrap_or(used);
    let with = |wanted: fn(usize) -> bool| {
        let handlers = (1..32).map(|s| (s, signal::action(s).handler));
        let found = handlers.filter(|(_, handler)| wanted(*handler));
        found.fold(0u32, |set, (s, _)| set | 1 << (s - 1))
    };
    let fields: Vec<String> = (3..)
        .zip(rest.split_ascii_whitespace())
        .map(|(field, told)| match field {
            3 if task.call.load(Ordering::Relaxed) >= 0 => "S".into(),
            3 => "R".into(),
            14 => ((used - in_kernel) / TICK).to_string(),
            15 => (in_kernel / TICK).to_string(),
            20 => task::alive().to_string(),
            // What is pending, blocked, ignored, caught: the first 31 signals.
            31 => (signal::pending_for(task) as u32 & u32::MAX >> 1).to_string(),
            32 => (task.mask.load(Ordering::Relaxed) as u32 & u32::MAX >> 1).to_string(),
            33 => with(|handler| handler == libc::SIG_IGN).to_string(),
            34 => with(|handler| handler > libc::SIG_IGN).to_string(),
            _ => told.into(),
        })
        .collect();
    let (id, name, fields) = (task.id().to_string(), task.name_bytes(), fields.join(" "));
    let parts = [id.as_bytes(), b" (", &name, b") ", fields.as_bytes(), b"\n"];
    Ok(parts.concat())
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
        task.set_name(name);
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
