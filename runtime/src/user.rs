//! The program's memory, as a kernel touches it: an address that is not there is an error (`EFAULT`), not a crash.
//!
//! All accesses to memory that a call names go through a few functions in assembly that use no stack. A fault inside them is
//! recognised by its address: the handler of SIGSEGV and SIGBUS ([`fixup`]) goes on at `coop_user_fault`, which returns the error in
//! their place. So a good address costs a call and no more: no look at the mappings, no system call.

use crate::sys::Errno;
use std::mem::MaybeUninit;

std::arch::global_asm!(
    r#"
    .text
    .globl coop_user_begin
    .hidden coop_user_begin
coop_user_begin:

    // (to, from, length) -> 0, or 1 for a fault. One of the two is the program's. Words go in one piece: futex words are read so.
    .globl coop_user_copy
    .hidden coop_user_copy
    .type coop_user_copy,@function
coop_user_copy:
    cmp $4, %rdx
    je 1f
    cmp $8, %rdx
    je 2f
    mov %rdx, %rcx
    rep movsb
    xor %eax, %eax
    ret
1:  mov (%rsi), %eax
    mov %eax, (%rdi)
    xor %eax, %eax
    ret
2:  mov (%rsi), %rax
    mov %rax, (%rdi)
    xor %eax, %eax
    ret

    // (word, &expected, new) -> 0, or 1 for a fault; what was found replaces what was expected.
    .globl coop_user_exchange
    .hidden coop_user_exchange
    .type coop_user_exchange,@function
coop_user_exchange:
    mov (%rsi), %eax
    lock cmpxchg %edx, (%rdi)
    mov %eax, (%rsi)
    xor %eax, %eax
    ret

    .globl coop_user_end
    .hidden coop_user_end
coop_user_end:
    .globl coop_user_fault
    .hidden coop_user_fault
    .type coop_user_fault,@function
coop_user_fault:
    mov $1, %eax
    ret
"#,
    options(att_syntax)
);

extern "C" {
    fn coop_user_begin();
    fn coop_user_end();
    fn coop_user_fault();
    fn coop_user_copy(to: *mut u8, from: *const u8, length: usize) -> u32;
    fn coop_user_exchange(word: usize, expected: &mut u32, new: u32) -> u32;
}

/// For the handler of a fault: where code goes on that met the fault at `rip`, if that is an access to the program's memory.
pub fn fixup(rip: usize) -> Option<usize> {
    let begin = coop_user_begin as *const () as usize;
    let end = coop_user_end as *const () as usize;
    (begin..end)
        .contains(&rip)
        .then_some(coop_user_fault as *const () as usize)
}

/// Whether a range can be user space at all; what lies beyond would fault in another way, or be the kernel's.
fn possible(address: usize, length: usize) -> bool {
    const TOP: usize = 1 << 47;
    address < TOP && length < TOP && address + length <= TOP
}

fn check(fault: u32) -> Result<(), Errno> {
    if fault == 0 {
        Ok(())
    } else {
        Err(Errno::FAULT)
    }
}

/// Reads a value.
///
/// # Errors
/// `EFAULT` if the memory is not there or may not be read.
///
/// # Safety
/// Any bytes are a valid `T`.
pub unsafe fn read<T: Copy>(address: *const T) -> Result<T, Errno> {
    let mut value = MaybeUninit::<T>::uninit();
    if !possible(address as usize, size_of::<T>()) {
        return Err(Errno::FAULT);
    }
    // SAFETY: the value has room for its own size; a fault at the program's address is an error here. It may be unaligned.
    check(unsafe { coop_user_copy(value.as_mut_ptr().cast(), address.cast(), size_of::<T>()) })?;
    // SAFETY: all of its bytes were written, and the caller says that any do.
    Ok(unsafe { value.assume_init() })
}

/// Writes a value.
///
/// # Errors
/// `EFAULT` if the memory is not there or may not be written.
///
/// # Safety
/// The program asked for the value to be written there.
pub unsafe fn write<T: Copy>(address: *mut T, value: T) -> Result<(), Errno> {
    // SAFETY: the caller's promise.
    unsafe { write_bytes(address as usize, (&raw const value).cast(), size_of::<T>()) }
}

/// Writes bytes.
///
/// # Errors
/// `EFAULT` if the memory is not all there; then a part may have been written.
///
/// # Safety
/// `from` has `length` bytes, and the program asked for them to be written there.
pub unsafe fn write_bytes(address: usize, from: *const u8, length: usize) -> Result<(), Errno> {
    if !possible(address, length) {
        return Err(Errno::FAULT);
    }
    // SAFETY: the caller's promise; a fault at the program's address is an error here.
    check(unsafe { coop_user_copy(address as *mut u8, from, length) })
}

/// Reads bytes.
///
/// # Errors
/// As [`read`].
///
/// # Safety
/// `to` has room for `length` bytes.
pub unsafe fn read_bytes(to: *mut u8, address: usize, length: usize) -> Result<(), Errno> {
    if !possible(address, length) {
        return Err(Errno::FAULT);
    }
    // SAFETY: as above.
    check(unsafe { coop_user_copy(to, address as *const u8, length) })
}

/// Changes an aligned word of the program's atomically from `expected` to `new`; gives what was there.
///
/// # Errors
/// As [`write`].
///
/// # Safety
/// The program asked for the word to be changed.
pub unsafe fn exchange(word: usize, expected: u32, new: u32) -> Result<u32, Errno> {
    let mut found = expected;
    if !possible(word, 4) {
        return Err(Errno::FAULT);
    }
    // SAFETY: a fault at the program's address is an error here.
    check(unsafe { coop_user_exchange(word, &mut found, new) })?;
    Ok(found)
}

/// Changes an aligned word of the program's atomically by a function; gives what was there. `None` from the function: not at all.
///
/// # Errors
/// As [`write`].
///
/// # Safety
/// As [`exchange`].
pub unsafe fn update(word: usize, change: impl Fn(u32) -> Option<u32>) -> Result<u32, Errno> {
    // SAFETY: any bytes are a number.
    let mut now = unsafe { read(word as *const u32) }?;
    while let Some(new) = change(now) {
        // SAFETY: the caller's promise.
        let found = unsafe { exchange(word, now, new) }?;
        if found == now {
            break;
        }
        now = found;
    }
    Ok(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_and_come_whatever_their_size_and_alignment() {
        let mut bytes = [0u8; 64];
        let base = bytes.as_mut_ptr();
        // SAFETY: within the array.
        unsafe {
            write(base.add(1).cast(), 0x1234_5678_9abc_def0u64).unwrap();
            assert_eq!(read(base.add(1).cast::<u64>()), Ok(0x1234_5678_9abc_def0));
            write(base.add(9).cast(), [1u8, 2, 3]).unwrap();
            assert_eq!(read(base.add(9).cast::<[u8; 3]>()), Ok([1, 2, 3]));
        }
    }

    #[test]
    fn words_change_once() {
        let word = 5u32;
        let at = &raw const word as usize;
        // SAFETY: the word is ours.
        unsafe {
            assert_eq!(exchange(at, 4, 9), Ok(5));
            assert_eq!(update(at, |v| Some(v + 1)), Ok(5));
            assert_eq!(read(&raw const word), Ok(6));
            assert_eq!(update(at, |_| None), Ok(6));
        }
    }

    #[test]
    fn what_is_beyond_user_space_is_a_fault() {
        // SAFETY: both are refused before they are touched.
        unsafe {
            assert_eq!(read(usize::MAX as *const u32), Err(Errno::FAULT));
            assert_eq!(write((1usize << 47) as *mut u32, 0), Err(Errno::FAULT));
        }
    }
}
