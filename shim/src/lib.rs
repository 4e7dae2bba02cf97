//! libcoop.so: `LD_PRELOAD=libcoop.so ./program` turns the threads of an unmodified program into coroutines.
//!
//! | module | what it knows |
//! |---|---|
//! | [`hooks`], [`rewrite`], [`trap`] | the doors: how a call is caught |
//! | [`crossing`] | registers, stacks and the FS base, one file per CPU |
//! | [`children`], [`programs`] | what programs started from here get, and how that reaches them |
//! | [`guarded`] | what a child must not close that shares the descriptors |
//! | [`convert`] | when and how the process is converted |
//! | [`obstacles`] | what forbids it |
//!
//! What calls mean is the runtime's (`coop-runtime`).

#![allow(clippy::missing_safety_doc)]

mod children;
mod convert;
mod crossing;
mod guarded;
mod hooks;
mod image;
mod mem;
mod obstacles;
mod programs;
mod rewrite;
mod robust;
mod trap;

/// Runtime code never allocates from the program's malloc, which a task may have locked. (Unit tests fork with other tests' threads about, and
/// libc's own heap is sound in such a child.)
#[cfg_attr(not(test), global_allocator)]
#[cfg_attr(test, allow(dead_code))]
static ALLOCATOR: coop_runtime::heap::Heap = coop_runtime::heap::Heap;

/// Runs when the library is loaded: reads the configuration, and nothing else. A program that never creates a thread sees nothing.
/// (Not in unit tests: they would be converted.)
#[cfg_attr(not(test), ctor::ctor(unsafe))]
#[cfg_attr(test, allow(dead_code))]
fn load() {
    let config = coop_runtime::config::load();
    hooks::resolve();
    programs::resolve();
    children::remember();
    if config.disable || !children::is_wanted() {
        convert::turn_off();
    }
}

/// Where a debugger finds the tasks; `scripts/coop-gdb.py` reads it by this name.
#[no_mangle]
#[used]
pub static COOP_TASK_LAYOUT: coop_runtime::task::Layout = coop_runtime::task::LAYOUT;
