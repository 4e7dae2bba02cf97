//! Calls that the crossing has answered on its way: what most often ends at once does so without a switch to the hub.
//!
//! ```text
//!   crossing, on the hub's stack, with the task's FS base          hub
//!   ──────────────────────────────────────────────────────         ───
//!   answer(context) ── 0: back to the program, rax is the result
//!                   ├─ 1: as every other call ───────────────────▶ dispatch: the call, or ANSWERED, PARTLY or TRIED
//!                   └─ 2: the crossing makes the call itself, as those that never block
//! ```
//!
//! The thread is inside the runtime meanwhile (`Gate::in_program` is 0) and has its hub, so all that is the hub's may be used. What may not:
//! thread-locals, [`crate::hub::current`] with them, and libc: the FS base is the task's. (A task's libc call would cross once more.)
//!
//! Setting the FS base twice is most of what a crossing costs, so a call that has little else to do gains a third of that.

use super::{complete, file, futex, regular, socket, Call, Outcome};
use crate::context::Context;
use crate::hub::Worker;
use crate::sys::{self, SysResult};
use crate::task::Task;

/// The pseudo call of a task whose call is answered, and who has something to see to at its hub before it goes on.
pub const ANSWERED: usize = 0x434f_4f54;
/// The pseudo call of a task whose read(2) has read a part, of a regular file.
pub const PARTLY: usize = 0x434f_4f55;

/// With the call's number added: the pseudo call of a task whose call on a socket or a pipe was tried.
pub const TRIED: usize = 0x434f_5000;

/// The numbers that come here.
pub(super) const NUMBERS: [i64; 8] = [
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_futex,
];

/// What came of a call here.
pub(super) enum Answer {
    /// This.
    Is(usize),
    /// Nothing yet, and nothing has been done.
    None,
    /// So much was read, at the file's own position.
    Partly(usize),
    /// The first try gave this, which is not all that there is to it.
    Tried(Tried),
    /// Nothing has been done: a plain read will not wait, as far as is known ([`super::trust`]).
    Plainly,
}

/// What the first try of a call on a socket or a pipe gave, and the generation of the number when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    pub(super) result: SysResult,
    pub(super) generation: u32,
}

impl Tried {
    /// In one word. (No call moves as much as two GiB.)
    fn packed(self) -> usize {
        #[allow(clippy::cast_possible_truncation)]
        let result = sys::encode(self.result) as u32;
        (self.generation as usize) << 32 | result as usize
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    fn unpacked(word: usize) -> Self {
        Self {
            result: sys::check(word as u32 as i32 as isize),
            generation: (word >> 32) as u32,
        }
    }
}

/// The call is answered.
const DONE: u32 = 0;
/// The hub is to make it.
pub const TO_HUB: u32 = 1;
/// The crossing is to make it, in the task, with the program's own registers.
pub const PLAINLY: u32 = 2;

/// Answers a call if that is little work, and says how the task goes on.
///
/// # Safety
/// Called by the crossing, with the context of the task that crossed, whole.
pub unsafe extern "C" fn coop_answer(context: *mut Context) -> u32 {
    // SAFETY: a task begins with its context, its memory is never unmapped, and it is off the CPU. Its gate is its worker's first field,
    // and workers are never freed.
    let (task, worker) = unsafe { (&*context.cast::<Task>(), &*(*context).gate.cast::<Worker>()) };
    if !worker.may_answer() || super::any_unusual() {
        return TO_HUB;
    }
    let hub = task.hub();
    let regs = &mut task.context().regs;
    let number = regs.rax as usize;
    let args = [regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9].map(|v| v as usize);
    let answer = match number as i64 {
        libc::SYS_futex => futex::wake_here(hub, [args[0], args[1], args[2]]),
        libc::SYS_pread64 => regular::cached_now(number, args),
        libc::SYS_read if regular::is_known(args[0]) => regular::cached_now(number, args),
        libc::SYS_recvfrom | libc::SYS_sendto => socket::at_once(hub, number, args),
        _ => file::at_once(hub, number, args),
    };
    match answer {
        Answer::Is(value) if !hub.has_business_with(task) => {
            regs.rax = value as u64;
            DONE
        }
        Answer::Is(value) => later(task, ANSWERED, value),
        Answer::Partly(value) => later(task, PARTLY, value),
        Answer::Tried(tried) => later(task, TRIED + number, tried.packed()),
        Answer::Plainly if !hub.has_business_with(task) => PLAINLY,
        Answer::Plainly | Answer::None => TO_HUB,
    }
}

#[cold]
fn later(task: &Task, number: usize, value: usize) -> u32 {
    let context = task.context();
    context.regs.rax = number as u64;
    context.answer = value as u64;
    TO_HUB
}

/// [`ANSWERED`].
pub(super) fn answered(task: &'static Task) -> Outcome {
    let value = task.context().answer as usize;
    complete(task, sys::check(value as isize));
    Outcome::Resume
}

/// [`PARTLY`].
pub(super) fn partly(task: &'static Task) -> Outcome {
    let context = task.context();
    context.regs.rax = libc::SYS_read as u64;
    regular::go_on(Call::of(task), context.answer as usize)
}

/// Whether it is [`TRIED`].
pub(super) fn is_tried(number: usize) -> bool {
    number & !0xfff == TRIED
}

/// [`TRIED`].
pub(super) fn tried(task: &'static Task) -> Outcome {
    let context = task.context();
    context.regs.rax -= TRIED as u64;
    let tried = Tried::unpacked(context.answer as usize);
    let call = Call::of(task);
    match call.number as i64 {
        libc::SYS_recvfrom | libc::SYS_sendto => socket::tried(call, tried),
        _ => file::tried(call, tried),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Errno;

    #[test]
    fn a_first_try_goes_through_one_word() {
        for result in [Ok(0), Ok(0x7fff_f000), Err(Errno::AGAIN), Err(Errno(4095))] {
            for generation in [0, 1, u32::MAX] {
                let tried = Tried { result, generation };
                assert_eq!(Tried::unpacked(tried.packed()), tried);
            }
        }
    }

    #[test]
    fn pseudo_numbers_are_told_apart() {
        assert!(NUMBERS
            .iter()
            .all(|number| is_tried(TRIED + *number as usize)));
        assert!(![ANSWERED, PARTLY].into_iter().any(is_tried));
    }
}
