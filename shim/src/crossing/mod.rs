//! The crossing: the way from a task into its hub and back. One file per CPU.
//!
//! It knows registers, stacks and the FS base, and not which call it is.

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;

#[cfg(not(target_arch = "x86_64"))]
compile_error!("libcoop's crossing is written for x86-64 only");
