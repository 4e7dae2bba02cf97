//! Symbol hooks, made by redhook: what is better seen as a function than as a system call.
//!
//! None of them is a cancellation point (redhook's frame could not be unwound), and none returns twice. Each only looks at whether the
//! process is to be converted, and goes on to the real function; what that asks of the kernel is answered behind the doors.

use crate::{children, convert};
use libc::{c_char, c_int, c_void};
use redhook::{hook, real};

type StartRoutine = extern "C" fn(*mut c_void) -> *mut c_void;

hook! {
    unsafe fn pthread_create(thread: *mut libc::pthread_t, attributes: *const libc::pthread_attr_t, start: StartRoutine, argument: *mut c_void) -> c_int => coop_pthread_create {
        convert::before_first_thread();
        let size = convert::default_stack();
        if attributes.is_null() && size != 0 {
            let mut own = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
            // SAFETY: initialised, used and destroyed here.
            unsafe {
                libc::pthread_attr_init(own.as_mut_ptr());
                libc::pthread_attr_setstacksize(own.as_mut_ptr(), size);
                let result = real!(pthread_create)(thread, own.as_ptr(), start, argument);
                libc::pthread_attr_destroy(own.as_mut_ptr());
                return result;
            }
        }
        // SAFETY: the program's own call.
        unsafe { real!(pthread_create)(thread, attributes, start, argument) }
    }
}

type C11Routine = extern "C" fn(*mut c_void) -> c_int;

hook! {
    unsafe fn thrd_create(thread: *mut libc::pthread_t, start: C11Routine, argument: *mut c_void) -> c_int => coop_thrd_create {
        convert::before_first_thread();
        // SAFETY: the program's own call.
        unsafe { real!(thrd_create)(thread, start, argument) }
    }
}

hook! {
    unsafe fn timer_create(clock: libc::clockid_t, event: *mut libc::sigevent, timer: *mut libc::timer_t) -> c_int => coop_timer_create {
        // libc makes a thread for such timers, out of our sight.
        // SAFETY: the program's struct, if there is one.
        if unsafe { event.as_ref() }.is_some_and(|e| e.sigev_notify == libc::SIGEV_THREAD) {
            convert::before_first_thread();
        }
        // SAFETY: the program's own call.
        unsafe { real!(timer_create)(clock, event, timer) }
    }
}

hook! {
    unsafe fn fork() -> libc::pid_t => coop_fork {
        // SAFETY: the program's own call; its clone crosses, and the runtime sees to the child.
        unsafe { real!(fork)() }
    }
}

hook! {
    unsafe fn forkpty(master: *mut c_int, name: *mut c_char, termios: *const libc::termios, size: *const libc::winsize) -> libc::pid_t => coop_forkpty {
        // SAFETY: the program's own call.
        unsafe { real!(forkpty)(master, name, termios, size) }
    }
}

hook! {
    unsafe fn daemon(no_chdir: c_int, no_close: c_int) -> c_int => coop_daemon {
        // SAFETY: the program's own call.
        unsafe { real!(daemon)(no_chdir, no_close) }
    }
}

type Strings = *const *const c_char;

hook! {
    unsafe fn execve(path: *const c_char, arguments: Strings, environment: Strings) -> c_int => coop_execve {
        // SAFETY: the program's own call.
        unsafe { children::execve(path, arguments, environment) }
    }
}

hook! {
    unsafe fn execv(path: *const c_char, arguments: Strings) -> c_int => coop_execv {
        // SAFETY: the program's own call.
        unsafe { children::execv(path, arguments) }
    }
}

hook! {
    unsafe fn execvpe(file: *const c_char, arguments: Strings, environment: Strings) -> c_int => coop_execvpe {
        // SAFETY: the program's own call.
        unsafe { children::execvpe(file, arguments, environment) }
    }
}

hook! {
    unsafe fn execvp(file: *const c_char, arguments: Strings) -> c_int => coop_execvp {
        // SAFETY: the program's own call.
        unsafe { children::execvp(file, arguments) }
    }
}

hook! {
    unsafe fn fexecve(fd: c_int, arguments: Strings, environment: Strings) -> c_int => coop_fexecve {
        // SAFETY: the program's own call.
        unsafe { children::fexecve(fd, arguments, environment) }
    }
}

hook! {
    unsafe fn posix_spawn(pid: *mut libc::pid_t, path: *const c_char, actions: *const c_void, attributes: *const c_void, arguments: Strings, environment: Strings) -> c_int => coop_posix_spawn {
        // SAFETY: the program's own call.
        unsafe { children::start(environment, |e| real!(posix_spawn)(pid, path, actions, attributes, arguments, e)) }
    }
}

hook! {
    unsafe fn posix_spawnp(pid: *mut libc::pid_t, file: *const c_char, actions: *const c_void, attributes: *const c_void, arguments: Strings, environment: Strings) -> c_int => coop_posix_spawnp {
        // SAFETY: the program's own call.
        unsafe { children::start(environment, |e| real!(posix_spawnp)(pid, file, actions, attributes, arguments, e)) }
    }
}

type Exec<T> = unsafe extern "C" fn(T, Strings, Strings) -> c_int;

/// libc's execve.
pub fn real_execve() -> Exec<*const c_char> {
    real!(execve)
}

/// libc's execvpe.
pub fn real_execvpe() -> Exec<*const c_char> {
    real!(execvpe)
}

/// libc's fexecve.
pub fn real_fexecve() -> Exec<c_int> {
    real!(fexecve)
}

/// Looks all real functions up, so that none is looked up (and none found missing) in the middle of a call.
pub fn resolve() {
    let _ = (
        real!(pthread_create) as *const () as usize,
        real!(thrd_create) as *const () as usize,
        real!(timer_create) as *const () as usize,
        real!(fork) as *const () as usize,
        real!(forkpty) as *const () as usize,
        real!(daemon) as *const () as usize,
        real!(execve) as *const () as usize,
        real!(execvpe) as *const () as usize,
        real!(fexecve) as *const () as usize,
        real!(posix_spawn) as *const () as usize,
        real!(posix_spawnp) as *const () as usize,
    );
}
