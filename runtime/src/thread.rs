//! Bare threads: OS threads that libc knows nothing of.
//!
//! A hub must not call what takes a lock inside libc: a task may hold it, parked. `pthread_create` takes several (those of the stack
//! cache and of dlopen among them). So threads that the runtime needs after conversion are made by clone(2), with a small control
//! block of their own: enough for `errno` and for this library's own thread-locals, and no more. What runs on them uses no thread-local
//! with a destructor, no libc function that could lock, and never returns: it goes on for ever, or [ends](end) in the middle.

use crate::everywhere::Room;
use crate::objects;
use crate::sys;
use crate::sys::Errno;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// Room for what a pool thread or the like does.
const STACK: usize = 64 << 10;
/// Above the thread pointer: libc's `struct pthread`.
const CONTROL: usize = 8 << 10;

/// The last word of the control block.
const LAST: usize = CONTROL / size_of::<usize>() - 1;

/// How much static thread-local storage the process has, below the thread pointer.
static TLS: AtomicUsize = AtomicUsize::new(64 << 10);
/// What this library's part of it begins with, and where that is below the thread pointer.
static IMAGE: AtomicUsize = AtomicUsize::new(0);
static IMAGE_LEN: AtomicUsize = AtomicUsize::new(0);
static IMAGE_BELOW: AtomicUsize = AtomicUsize::new(0);

/// Sums up what loaded objects have as static thread-local storage. At conversion.
pub(crate) fn measure_tls() {
    let mut total = 0usize;
    objects::find(|object| {
        let is_own = object
            .segment_of(measure_tls as *const () as usize)
            .is_some();
        let headers = object.headers().iter();
        for header in headers.filter(|h| h.p_type == libc::PT_TLS) {
            total += header.p_memsz as usize + header.p_align as usize;
            if is_own {
                IMAGE.store(object.range(header).start, Ordering::Relaxed);
                IMAGE_LEN.store(header.p_filesz as usize, Ordering::Relaxed);
                let below = pointer() as usize - object.thread_local_data();
                IMAGE_BELOW.store(below, Ordering::Relaxed);
            }
        }
        None::<()>
    });
    TLS.store((total + 8192).next_multiple_of(4096), Ordering::Relaxed);
}

/// Starts a thread that runs `f` for ever.
///
/// # Errors
/// The kernel's, when it gives no memory or no thread.
pub(crate) fn spawn(f: fn() -> !) -> Result<(), Errno> {
    spawn_with(STACK, f)
}

/// As [`spawn`], with a stack of this size.
pub(crate) fn spawn_with(stack: usize, f: fn() -> !) -> Result<(), Errno> {
    spawn_for(stack, f, 0)
}

/// As [`spawn_with`], with something that the thread finds as its [`argument`].
pub(crate) fn spawn_for(stack: usize, f: fn() -> !, argument: usize) -> Result<(), Errno> {
    const FLAGS: i32 = libc::CLONE_VM
        | libc::CLONE_FS
        | libc::CLONE_FILES
        | libc::CLONE_SIGHAND
        | libc::CLONE_THREAD
        | libc::CLONE_SYSVSEM
        | libc::CLONE_PARENT_SETTID
        | libc::CLONE_CHILD_CLEARTID;
    let block = Block::new(stack, argument)?;
    let room = Room::take()?;
    // SAFETY: the block is the thread's from now on, and the word is in a static.
    unsafe { sys::clone_bare(FLAGS, block.top, block.pointer, room.word().as_ptr(), f) }?;
    std::mem::forget(block);
    Ok(())
}

/// Starts a process that runs `f` for ever on memory that it shares with this one, and whose end no signal tells. Its descriptors are this
/// process's as well. Not until it has ended does this come back, if `is_awaited`. The kernel writes its id into the word, if there is one, and 0 when it has
/// ended, and wakes one who waits there.
///
/// # Errors
/// The kernel's.
pub(crate) fn spawn_process(
    f: fn() -> !,
    is_awaited: bool,
    id: Option<&'static AtomicI32>,
) -> Result<i32, Errno> {
    let mut flags = libc::CLONE_VM | libc::CLONE_FILES;
    if is_awaited {
        flags |= libc::CLONE_VFORK;
    }
    if id.is_some() {
        flags |= libc::CLONE_PARENT_SETTID | libc::CLONE_CHILD_CLEARTID;
    }
    let word = id.map_or(ptr::null_mut(), AtomicI32::as_ptr);
    let block = Block::new(STACK, 0)?;
    // SAFETY: as above.
    let id = unsafe { sys::clone_bare(flags, block.top, block.pointer, word, f) }?;
    if !is_awaited {
        std::mem::forget(block);
    }
    Ok(i32::try_from(id).unwrap_or(0))
}

/// A bare thread's memory.
#[derive(Debug)]
struct Block {
    base: usize,
    size: usize,
    /// The stack's top.
    top: usize,
    /// The thread pointer, above the stack and the thread-local storage.
    pointer: usize,
}

impl Block {
    fn new(stack: usize, argument: usize) -> Result<Self, Errno> {
        let tls = TLS.load(Ordering::Relaxed);
        let size = stack + tls + CONTROL;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh mapping, of which the thread becomes the only user: the stack at the low end, then thread-local storage and
        // the control block. The thread pointer's first words are as x86-64's ABI and libc's compiled code want them: itself, twice;
        // the stack guard and the pointer guard are the process's. This library's thread-locals begin as on any thread.
        unsafe {
            let base = sys!(
                SYS_mmap,
                0,
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1i32,
                0
            )?;
            let pointer = base + stack + tls;
            let words = pointer as *mut usize;
            words.write(pointer);
            words.add(2).write(pointer);
            for guard in [5usize, 6] {
                let value: usize;
                std::arch::asm!("mov {0}, qword ptr fs:[{1}]", out(reg) value, in(reg) guard * 8, options(nostack, readonly));
                words.add(guard).write(value);
            }
            let below = IMAGE_BELOW.load(Ordering::Relaxed);
            ptr::copy_nonoverlapping(
                IMAGE.load(Ordering::Relaxed) as *const u8,
                (pointer - below) as *mut u8,
                IMAGE_LEN.load(Ordering::Relaxed),
            );
            // For `end`.
            words.add(LAST).write(base);
            words.add(LAST - 1).write(size);
            words.add(LAST - 2).write(argument);
            Ok(Self {
                base,
                size,
                top: base + stack,
                pointer,
            })
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: there is no thread on it.
        let _ = unsafe { sys!(SYS_munmap, self.base, self.size) };
    }
}

/// The calling thread's own thread pointer, which its first word names.
pub(crate) fn pointer() -> u64 {
    let pointer: u64;
    // SAFETY: reads the first word of this thread's control block, as x86-64's ABI has it.
    unsafe {
        std::arch::asm!("mov {}, qword ptr fs:[0]", out(reg) pointer, options(nostack, preserves_flags, readonly));
    }
    pointer
}

/// What [`spawn_for`] was given for the calling thread.
pub(crate) fn argument() -> usize {
    // SAFETY: `spawn_for` wrote it into the thread's own control block.
    unsafe { (pointer() as *const usize).add(LAST - 2).read() }
}

/// Ends the calling thread, one that [`spawn`] made, and gives its memory back.
pub(crate) fn end() -> ! {
    let words = pointer() as *const usize;
    // A signal from here on would have no stack.
    crate::signal::set_kernel_mask(!0);
    // SAFETY: `spawn` noted the mapping, which the thread is the only user of. Nothing touches the stack between the two calls.
    unsafe {
        let (base, size) = (words.add(LAST).read(), words.add(LAST - 1).read());
        std::arch::asm!(
            "syscall",
            "mov eax, {exit}",
            "xor edi, edi",
            "syscall",
            "ud2",
            exit = const libc::SYS_exit,
            in("rax") libc::SYS_munmap,
            in("rdi") base,
            in("rsi") size,
            options(noreturn, nostack)
        )
    }
}
