//! The system: what has no family of its own.

use super::Call;
use crate::pool;
use crate::sys;
use crate::sys::{Errno, SysResult};

/// getrandom(2). It waits only before the kernel has gathered its first entropy; then little is given at once and whole, and much takes a
/// while, and may be cut short by a signal, which here could be the library's own.
pub(crate) async fn getrandom(call: Call, _buffer: usize, length: usize, flags: u32) -> SysResult {
    /// "requests for up to 256 bytes … will always return as many bytes as requested and will not be interrupted by signals"
    const WHOLE: usize = 256;
    if length <= WHOLE {
        let mut args = call.args;
        args[2] |= libc::GRND_NONBLOCK as usize;
        // SAFETY: the program's call, without the wait.
        match sys::check(unsafe { sys::syscall_raw(call.number, args) }) {
            Err(Errno::AGAIN) if flags & libc::GRND_NONBLOCK == 0 => {}
            result => return result,
        }
    }
    pool::run(call.task, call.number, call.args).await
}
