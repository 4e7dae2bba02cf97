//! Signal frames: a handler runs on its task's stack as the kernel would have run it.
//!
//! ```text
//!   the task's stack (or its sigaltstack)                      higher addresses
//!   ┌───────────────────────────────┐
//!   │ … the interrupted frames …    │ ◀─ rsp when the signal came
//!   │ 128 bytes of red zone         │
//!   │ floating-point state (64-al.) │ ◀─ ucontext.uc_mcontext.fpregs
//!   │ siginfo                       │ ◀─ the handler's second argument
//!   │ ucontext                      │ ◀─ the handler's third argument
//!   │ return address                │ ◀─ rsp of the handler (16-aligned plus 8): the crossing's `signal_return`
//!   └───────────────────────────────┘
//! ```
//!
//! It is the kernel's `struct rt_sigframe` (`arch/x86/include/asm/sigframe.h`), so on return the kernel's own `rt_sigreturn`
//! restores it, whatever the handler changed. Two things are translated: the mask in it is the task's (the OS thread keeps the
//! hub's), and `rip` is the program's own address after its syscall instruction, so that unwinders and handlers see program code,
//! where the task really goes on in a stub.

use super::{preempt, Action, Info};
use crate::context::Registers;
use crate::hub;
use crate::sys::Errno;
use crate::syscalls::{self, Outcome};
use crate::task::Task;
use crate::user;
use std::mem::size_of;

/// The kernel's `struct sigcontext` of x86-64.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
#[allow(missing_docs)]
pub struct Machine {
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub rdx: u64,
    pub rax: u64,
    pub rcx: u64,
    pub rsp: u64,
    pub rip: u64,
    pub flags: u64,
    pub cs: u16,
    pub gs: u16,
    pub fs: u16,
    pub ss: u16,
    pub err: u64,
    pub trapno: u64,
    pub oldmask: u64,
    pub cr2: u64,
    pub fpstate: u64,
    pub reserved: [u64; 8],
}

/// The kernel's `struct ucontext`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[allow(missing_docs)]
pub struct Ucontext {
    pub flags: u64,
    pub link: u64,
    pub stack: libc::stack_t,
    pub machine: Machine,
    pub mask: u64,
}

/// The kernel's `struct rt_sigframe`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Frame {
    pub return_address: u64,
    pub uc: Ucontext,
    pub info: Info,
}

/// `UC_FP_XSTATE`, `UC_SIGCONTEXT_SS`, `UC_STRICT_RESTORE_SS`.
const UC_FP_XSTATE: u64 = 1;
const UC_FLAGS: u64 = 2 | 4;
/// What a function may have below its stack pointer (System V ABI, 3.2.2).
pub(crate) const RED_ZONE: u64 = 128;
/// What the legacy area takes (FXSAVE).
const LEGACY: usize = 512;
const MAGIC1: u32 = 0x4650_5853;
const MAGIC2: u32 = 0x4650_5845;
/// Where the kernel's `struct _fpx_sw_bytes` is in the legacy area.
const SW_BYTES: usize = 464;
/// User code and stack segments.
const CS: u16 = 0x33;
const SS: u16 = 0x2b;

/// Where a frame's floating-point state of so many bytes, and the frame itself, come to be below what a stack holds.
pub(super) fn below(rsp: u64, state: usize) -> (u64, u64) {
    from_top(rsp.wrapping_sub(RED_ZONE), state)
}

fn from_top(top: u64, state: usize) -> (u64, u64) {
    let fp = top.wrapping_sub(state as u64) & !63;
    let at = (fp.wrapping_sub(size_of::<Frame>() as u64) & !15).wrapping_sub(8);
    (fp, at)
}

/// Lays a frame for a handler onto a task's stack and points the task's registers at the handler.
///
/// `restart`: the number of the interrupted call when it is to be made again after the handler.
///
/// # Errors
/// `EFAULT` when the stack has no room; then nothing has changed.
pub(crate) fn push(
    task: &'static Task,
    info: &Info,
    action: &Action,
    restart: Option<u64>,
) -> Result<(), Errno> {
    // A preempted task's whole state is in a kernel frame; else it is in its context.
    let preempted = task.frame.get();
    let (mut machine, state) = match preempted {
        // SAFETY: a kept frame is whole.
        Some(frame) => unsafe {
            let machine = (*frame.as_ptr().cast::<Frame>()).uc.machine;
            let state = State::Kernel(machine.fpstate as *const u8);
            (machine.behind_call(), state)
        },
        None => (machine_of(task, restart), State::of(task)),
    };
    let (alt_sp, alt_size, alt_flags) = task.altstack.get();
    let on_alt = on_stack(machine.rsp as usize, task.altstack.get());
    let use_alt =
        action.flags & libc::SA_ONSTACK as u64 != 0 && alt_flags & libc::SS_DISABLE == 0 && !on_alt;
    let (fp, at) = if use_alt {
        from_top((alt_sp + alt_size) as u64, state.size())
    } else {
        below(machine.rsp, state.size())
    };
    if (on_alt || use_alt) && (at as usize) < alt_sp {
        // As the kernel: a handler must not overflow the alternate stack.
        return Err(Errno::FAULT);
    }

    machine.fpstate = fp;
    machine.oldmask = task.mask.load(std::sync::atomic::Ordering::Relaxed);
    let mask = task.restore_mask.get().unwrap_or(machine.oldmask);
    let frame = Frame {
        return_address: hub::crossing().signal_return as u64,
        uc: Ucontext {
            flags: UC_FLAGS | if state.extended() { UC_FP_XSTATE } else { 0 },
            link: 0,
            stack: libc::stack_t {
                ss_sp: alt_sp as *mut libc::c_void,
                ss_flags: alt_flags,
                ss_size: alt_size,
            },
            machine,
            mask,
        },
        info: *info,
    };
    // SAFETY: the memory is the task's own stack below everything in use, as the kernel would take it.
    unsafe {
        state.write(fp as usize)?;
        user::write(at as *mut Frame, frame)?;
    }
    task.restore_mask.set(None);
    if use_alt && alt_flags & AUTODISARM != 0 {
        task.altstack.set((0, 0, libc::SS_DISABLE));
    }

    let blocked = action.mask
        | if action.flags & libc::SA_NODEFER as u64 == 0 {
            super::bit(info.signal)
        } else {
            0
        };
    let current = task.mask.load(std::sync::atomic::Ordering::Relaxed);
    task.mask.store(
        (current | blocked) & !super::UNBLOCKABLE,
        std::sync::atomic::Ordering::Release,
    );
    if action.flags & libc::SA_RESETHAND as u64 != 0 {
        let _ = super::set_action(
            info.signal,
            Some(Action {
                handler: libc::SIG_DFL,
                ..*action
            }),
        );
    }
    if let Some(frame) = task.frame.take() {
        if !task.frame_on_stack.get() {
            preempt::give_back(task.hub().worker(), frame);
        }
    }
    let context = task.context();
    context.full = 0;
    context.flags = 0;
    context.regs = Registers {
        rdi: info.signal as u64,
        rsi: at + std::mem::offset_of!(Frame, info) as u64,
        rdx: at + std::mem::offset_of!(Frame, uc) as u64,
        rsp: at,
        rip: action.handler as u64,
        ..Registers::default()
    };
    Ok(())
}

/// For a handler without `SA_RESTART`: a call that a kick found the task in, behind the doors' back, ends with `EINTR`.
///
/// A kick has the kernel restart calls: in the frame, `rip` is at the instruction and `rax` is the number, as if the call had not begun. That
/// it had shows in `rcx` and `r11`, where the instruction leaves its end and the flags. (Code that makes the same call in a loop and changes
/// neither has them there before the next one as well. Struck right there, it gets `EINTR` for a call that it would have begun.)
pub(crate) fn end_call(task: &'static Task) {
    let Some(frame) = task.frame.get().filter(|_| !task.frame_on_stack.get()) else {
        return;
    };
    // SAFETY: a kept frame is whole, and the task's alone.
    let machine = unsafe { &mut (*frame.as_ptr().cast::<Frame>()).uc.machine };
    if machine.rcx != machine.rip.wrapping_add(2) || machine.r11 != machine.flags {
        return;
    }
    // SAFETY: any two bytes are two bytes.
    let code = unsafe { user::read(machine.rip as *const [u8; 2]) };
    if code == Ok([0x0f, 0x05]) && can_end(machine.rax, machine.rsi) {
        machine.rip = machine.rcx;
        machine.rax = crate::sys::encode(Err(Errno::INTR));
    }
}

/// Whether a call can end with `EINTR` at all. Those that cannot the kernel restarts whatever the handler says.
fn can_end(number: u64, second: u64) -> bool {
    const PI: [i32; 3] = [
        libc::FUTEX_LOCK_PI,
        libc::FUTEX_LOCK_PI2,
        libc::FUTEX_WAIT_REQUEUE_PI,
    ];
    match number as i64 {
        libc::SYS_clone | libc::SYS_clone3 | libc::SYS_fork | libc::SYS_vfork => false,
        #[allow(clippy::cast_possible_truncation)]
        libc::SYS_futex => !PI.contains(&(second as i32 & libc::FUTEX_CMD_MASK)),
        _ => true,
    }
}

/// `SS_AUTODISARM` of sigaltstack(2): the alternate stack is not one while a handler runs on it.
pub(crate) const AUTODISARM: i32 = 1 << 31;

/// Whether a stack pointer is on an alternate stack (sp, size, flags).
pub(crate) fn on_stack(rsp: usize, (sp, size, flags): (usize, usize, i32)) -> bool {
    flags & (libc::SS_DISABLE | AUTODISARM) == 0 && rsp > sp && rsp - sp <= size
}

impl Machine {
    /// Of a task that was struck on its way back from a call: as the program would see them behind its own instruction.
    fn behind_call(mut self) -> Self {
        if let Some(at) = (hub::crossing().original)(self.rip as usize) {
            self.rip = at as u64;
            (self.rcx, self.r11) = (self.rip, self.flags);
        }
        self
    }
}

/// A context's registers as the program would see them had it made the system call itself.
fn machine_of(task: &Task, restart: Option<u64>) -> Machine {
    let context = task.context();
    let r = &context.regs;
    let after = (hub::crossing().original)(r.rip as usize).map_or(r.rip, |a| a as u64);
    let flags = flags_from(context.flags);
    Machine {
        r8: r.r8,
        r9: r.r9,
        r10: r.r10,
        r11: flags,
        r12: r.r12,
        r13: r.r13,
        r14: r.r14,
        r15: r.r15,
        rdi: r.rdi,
        rsi: r.rsi,
        rbp: r.rbp,
        rbx: r.rbx,
        rdx: r.rdx,
        rcx: after,
        rsp: r.rsp,
        flags,
        cs: CS,
        ss: SS,
        // A restart goes back to the two bytes of the instruction, as the kernel does.
        rax: restart.unwrap_or(r.rax),
        rip: if restart.is_some() { after - 2 } else { after },
        ..Machine::default()
    }
}

/// `lahf; seto %al` (ah, al) as RFLAGS, with the interrupt flag and the bit that is always set.
fn flags_from(saved: u64) -> u64 {
    0x202 | ((saved >> 8) & 0xd5) | ((saved & 1) << 11)
}

/// RFLAGS as `lahf; seto %al` would leave them.
fn flags_to(flags: u64) -> u64 {
    ((flags & 0xd5) | 2) << 8 | (flags >> 11) & 1
}

/// Where a frame's floating-point state comes from.
enum State {
    /// The xmm registers and control words only, in FXSAVE format.
    Legacy(Box<[u8; LEGACY]>),
    /// An XSAVE area of the task's.
    Extended(*const u8, usize),
    /// The state in a kernel frame.
    Kernel(*const u8),
}

impl State {
    fn of(task: &Task) -> Self {
        let context = task.context();
        if context.full != 0 {
            let area = task.extended();
            return Self::Extended(area.as_ptr(), crate::extended::size());
        }
        let mut area = Box::new([0u8; LEGACY]);
        let (mxcsr, x87) = crate::extended::control();
        area[0..2].copy_from_slice(&x87.to_le_bytes());
        area[24..28].copy_from_slice(&mxcsr.to_le_bytes());
        area[28..32].copy_from_slice(&0xffffu32.to_le_bytes());
        for (i, xmm) in context.xmm.iter().enumerate() {
            area[160 + 16 * i..168 + 16 * i].copy_from_slice(&xmm[0].to_le_bytes());
            area[168 + 16 * i..176 + 16 * i].copy_from_slice(&xmm[1].to_le_bytes());
        }
        Self::Legacy(area)
    }

    fn extended(&self) -> bool {
        match self {
            Self::Legacy(_) => false,
            Self::Extended(..) => true,
            Self::Kernel(at) => preempt::state_size(*at) > LEGACY,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Legacy(_) => LEGACY,
            Self::Extended(_, size) => size + 4,
            Self::Kernel(at) => preempt::state_size(*at),
        }
    }

    /// Writes the state to the program's memory, or to the runtime's.
    ///
    /// # Safety
    /// At `to` it is allowed to write `size` bytes, as far as they are there.
    unsafe fn write(&self, to: usize) -> Result<(), Errno> {
        // SAFETY: the caller's promise, and each source has the size that `size` says.
        unsafe {
            match self {
                Self::Legacy(area) => user::write_bytes(to, area.as_ptr(), LEGACY),
                Self::Kernel(at) => {
                    let size = self.size();
                    let from = *at as usize;
                    if from < to && to < from + size {
                        // The source is a frame just given up on the same stack, and a handler moved the stack pointer.
                        let mut state = vec![0u8; size];
                        user::read_bytes(state.as_mut_ptr(), from, size)?;
                        return user::write_bytes(to, state.as_ptr(), size);
                    }
                    user::write_bytes(to, *at, size)
                }
                Self::Extended(area, size) => {
                    user::write_bytes(to, *area, *size)?;
                    let sw = (to + SW_BYTES) as *mut u32;
                    #[allow(clippy::cast_possible_truncation)]
                    {
                        user::write(sw, MAGIC1)?;
                        user::write(sw.wrapping_add(1), *size as u32 + 4)?;
                        user::write(sw.wrapping_add(2).cast(), crate::extended::features())?;
                        user::write(sw.wrapping_add(4), *size as u32)?;
                    }
                    user::write((to + size) as *mut u32, MAGIC2)
                }
            }
        }
    }
}

/// The handler returned: restores what its frame says.
pub(crate) fn sigreturn(task: &'static Task) -> Outcome {
    let at = task.context().regs.rsp.wrapping_sub(8);
    // SAFETY: any bytes are a frame, if not a sensible one.
    let mut copy = match unsafe { user::read(at as *const Frame) } {
        Ok(copy) => copy,
        Err(_) => {
            super::fault::no_stack(task, &Info::of_kernel(0, 0));
            return Outcome::Resume;
        }
    };
    let frame = &mut copy;
    super::set_mask(task, frame.uc.mask);
    set_altstack(task, &frame.uc.stack);
    let machine = &mut frame.uc.machine;
    if let Some(on) = (hub::crossing().continuation)(machine.rip as usize + 2) {
        // The call is made again: cross anew with the frame's registers.
        let context = task.context();
        let m = *machine;
        context.regs = Registers {
            rax: m.rax,
            rdi: m.rdi,
            rsi: m.rsi,
            rdx: m.rdx,
            r10: m.r10,
            r8: m.r8,
            r9: m.r9,
            rbx: m.rbx,
            rbp: m.rbp,
            r12: m.r12,
            r13: m.r13,
            r14: m.r14,
            r15: m.r15,
            rsp: m.rsp,
            rip: on as u64,
        };
        context.flags = flags_to(m.flags);
        context.full = 0;
        // SAFETY: the frame's state begins with a legacy area.
        unsafe {
            load_state(
                task,
                m.fpstate as *const u8,
                frame.uc.flags & UC_FP_XSTATE != 0,
            )
        };
        return syscalls::dispatch(task.hub(), task);
    }
    let mut there = std::ptr::NonNull::new(at as *mut u8);
    task.frame_on_stack.set(true);
    if let Some(on) = (hub::crossing().continuation)(machine.rip as usize) {
        let go_on = |frame: *mut u8| {
            // SAFETY: a field of a frame, which may be in the program's memory.
            unsafe { user::write(&raw mut (*frame.cast::<Frame>()).uc.machine.rip, on as u64) }
        };
        if go_on(at as *mut u8).is_err() {
            // It can be read there, and no more.
            let worker = task.hub().worker();
            there = there.map(|frame| preempt::copy_of(worker, frame));
            task.frame_on_stack.set(false);
            let _ = there.map(|copy| go_on(copy.as_ptr()));
        }
    }
    task.frame.set(there);
    Outcome::Resume
}

/// Loads xmm, control words and, if there, the extended state of a frame into the task.
///
/// # Safety
/// `from` is a frame's floating-point state.
unsafe fn load_state(task: &'static Task, from: *const u8, extended: bool) {
    let context = task.context();
    // SAFETY: the legacy area is 512 bytes; an extended one is as large as ours, which `push` copied there.
    unsafe {
        let mxcsr = from.add(24).cast::<u32>().read_unaligned();
        let x87 = from.cast::<u16>().read_unaligned();
        crate::extended::set_control((mxcsr & 0xffff, x87));
        for (i, xmm) in context.xmm.iter_mut().enumerate() {
            *xmm = from.add(160 + 16 * i).cast::<[u64; 2]>().read_unaligned();
        }
        if extended {
            let area = task.extended().as_ptr();
            area.copy_from_nonoverlapping(from, crate::extended::size());
            context.full = 1;
        }
    }
}

/// `rt_sigreturn` restores the alternate stack that the frame names.
fn set_altstack(task: &'static Task, stack: &libc::stack_t) {
    let disabled = stack.ss_flags & libc::SS_DISABLE != 0;
    let new = if disabled {
        (0, 0, libc::SS_DISABLE)
    } else {
        (
            stack.ss_sp as usize,
            stack.ss_size,
            stack.ss_flags & AUTODISARM,
        )
    };
    if new != task.altstack.get() {
        task.altstack.set(new);
    }
}

/// A frame outside any stack of the program's, to go on from.
#[repr(C, align(64))]
struct Loose {
    padding: u64,
    frame: Frame,
    state: [u8; 0],
}

/// Lays out a frame that restores a task's context, with a mask and an alternate stack for the kernel.
fn loose(task: &'static Task, mask: u64, stack: libc::stack_t) -> std::ptr::NonNull<u8> {
    let state = State::of(task);
    let mut machine = machine_of(task, None);
    machine.rip = task.context().regs.rip;
    let offset = size_of::<Loose>().next_multiple_of(64);
    let layout =
        std::alloc::Layout::from_size_align(offset + state.size(), 64).expect("a frame's layout");
    // SAFETY: the block has room for the frame and its state, each aligned as in the type.
    unsafe {
        let block = std::alloc::alloc(layout);
        let Some(block) = std::ptr::NonNull::new(block) else {
            std::alloc::handle_alloc_error(layout)
        };
        let at = &raw mut (*block.as_ptr().cast::<Loose>()).frame;
        machine.fpstate = block.as_ptr().add(offset) as u64;
        let _ = state.write(block.as_ptr().add(offset) as usize);
        at.write(Frame {
            return_address: 0,
            uc: Ucontext {
                flags: UC_FLAGS | if state.extended() { UC_FP_XSTATE } else { 0 },
                link: 0,
                stack,
                machine,
                mask,
            },
            info: Info::from_user(0, 0),
        });
        std::ptr::NonNull::new_unchecked(at.cast())
    }
}

/// Frees what [`loose`] laid out.
pub(crate) fn free_loose(frame: std::ptr::NonNull<u8>) {
    let offset = size_of::<Loose>().next_multiple_of(64);
    // SAFETY: `loose` made it: its block begins one word before the frame, and its state says how long it is.
    unsafe {
        let block = frame.as_ptr().sub(std::mem::offset_of!(Loose, frame));
        let size = preempt::state_size(block.add(offset));
        let layout = std::alloc::Layout::from_size_align_unchecked(offset + size, 64);
        std::alloc::dealloc(block, layout);
    }
}

/// The task's alternate stack as the kernel takes it.
fn altstack_of(task: &Task) -> libc::stack_t {
    let (sp, size, flags) = task.altstack.get();
    libc::stack_t {
        ss_sp: sp as *mut libc::c_void,
        ss_flags: flags,
        ss_size: size,
    }
}

/// A frame from which a forked child goes on as a native thread: as the task, with 0 for its call's result, and perhaps another stack.
pub(crate) fn departing(task: &'static Task, stack: Option<u64>) -> std::ptr::NonNull<u8> {
    let mask = task.mask.load(std::sync::atomic::Ordering::Relaxed);
    let frame = loose(task, mask, altstack_of(task));
    // SAFETY: `loose` made it.
    let machine = unsafe { &mut (*frame.as_ptr().cast::<Frame>()).uc.machine };
    machine.rax = 0;
    machine.rsp = stack.unwrap_or(machine.rsp);
    frame
}

/// A frame from which a task goes on at the crossing's window, with the call in its registers.
pub(crate) fn window(task: &'static Task, mask: u64) -> std::ptr::NonNull<u8> {
    let frame = loose(task, mask, altstack_of(task));
    // SAFETY: `loose` made it.
    unsafe { (*frame.as_ptr().cast::<Frame>()).uc.machine.rip = hub::crossing().window as u64 };
    frame
}

/// Makes a frame fit for the kernel's `rt_sigreturn` in a native child: `rip` becomes where the code really goes on.
///
/// # Safety
/// `frame` is one that [`push`] laid out, with the handler's changes.
pub unsafe fn localize(frame: usize) {
    // SAFETY: the caller's promise.
    let machine = unsafe { &mut (*(frame as *mut Frame)).uc.machine };
    let at = machine.rip as usize;
    if let Some(on) = (hub::crossing().continuation)(at) {
        machine.rip = on as u64;
    } else if let Some(on) = (hub::crossing().continuation)(at + 2) {
        // A call that is to be made again: the stub's own syscall instruction.
        machine.rip = on as u64 - 2;
    }
}
