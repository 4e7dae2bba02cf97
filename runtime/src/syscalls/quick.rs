//! Calls that the crossing has answered on its way: what most often ends at once does so without a switch to the hub.
//!
//! ```text
//!   crossing, on the hub's stack, with the task's FS base          hub
//!   ──────────────────────────────────────────────────────         ───
//!   answer(context) ── 0: back to the program, rax is the result
//!                   ├─ 1: as every other call ───────────────────▶ dispatch: the call, or ANSWERED, or PARTLY
//!                   └─ 2: the crossing makes the call itself, as those that never block
//! ```
//!
//! The thread is inside the runtime meanwhile (`Gate::in_program` is 0) and has its hub, so all that is the hub's may be used. What may not:
//! thread-locals, [`crate::hub::current`] with them, and libc: the FS base is the task's. (A task's libc call would cross once more.)
//!
//! Setting the FS base twice is most of what a crossing costs, so a call that has little else to do gains a third of that.

use super::{complete, futex, regular, Call, Outcome};
use crate::context::Context;
use crate::hub::Worker;
use crate::sys;
use crate::task::Task;

/// The pseudo call of a task whose call is answered, and who has something to see to at its hub before it goes on.
pub const ANSWERED: usize = 0x434f_4f54;
/// The pseudo call of a task whose read(2) has read a part, of a regular file.
pub const PARTLY: usize = 0x434f_4f55;

/// The numbers that come here.
pub(super) const NUMBERS: [i64; 3] = [libc::SYS_read, libc::SYS_pread64, libc::SYS_futex];

/// What came of a call here.
pub(super) enum Answer {
    /// This.
    Is(usize),
    /// Nothing yet, and nothing has been done.
    None,
    /// So much was read, at the file's own position.
    Partly(usize),
    /// Nothing has been done: a plain read will not wait, as far as is known ([`super::trust`]).
    Plainly,
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
    let args = [regs.rdi, regs.rsi, regs.rdx].map(|v| v as usize);
    let answer = if regs.rax as i64 == libc::SYS_futex {
        futex::wake_here(hub, args)
    } else {
        regular::cached_now(regs.rax as usize, args, regs.r10 as usize)
    };
    match answer {
        Answer::Is(value) if !hub.has_business_with(task) => {
            regs.rax = value as u64;
            DONE
        }
        Answer::Is(value) => later(task, ANSWERED, value),
        Answer::Partly(value) => later(task, PARTLY, value),
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
