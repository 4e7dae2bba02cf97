//! Which of the byte pairs `0f 05` can be `syscall` instructions at all.
//!
//! A large object has hundreds of them, nearly all inside other instructions. To decode their
//! functions from the start takes milliseconds, and the sites that remain tell which jumps matter.
//! [`possible`] looks at some eighty bytes before the pair instead, and is still certain: no instruction has more than fifteen bytes, so of any fifteen addresses in a row one is
//! where an instruction of the function begins. It decodes from each of them; if none of these ways
//! comes to the pair, the function's does not either. They run together after a few instructions, so
//! this costs little more than decoding once. What is possible is then judged by the whole function.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Register};

use super::plan::{Surroundings, Verdict};
use crate::image::Function;

/// The longest instruction.
const LONGEST: u64 = 15;

/// How far before a pair to begin.
const BEFORE: usize = 80;

/// Whether code decoded from the start of `function` could have a `syscall` at `candidate`, which lies in it or behind it, or where
/// the function is no code, something before it looks as if.
pub fn possible(around: &Surroundings, function: &Function, candidate: u64) -> bool {
    let Some(into) = candidate.checked_sub(function.start.max(around.vaddr)) else {
        return true;
    };
    // Bit n: some way comes to an instruction at the n-th byte.
    let mut reached: u128 = 1;
    let mut start = candidate - into;
    if into >= BEFORE as u64 {
        reached = (1 << LONGEST) - 1;
        start = candidate - BEFORE as u64;
    }
    let end = (candidate - start) as usize;
    // Long enough for the last instruction before the candidate.
    let code = around.bytes(start, candidate + LONGEST);
    let mut decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    for at in 0..end {
        if reached & (1 << at) == 0 {
            continue;
        }
        if decoder.set_position(at).is_err() {
            return true;
        }
        decoder.decode_out(&mut instruction);
        // A way that meets what is no instruction is not the function's, unless the function is no code.
        if instruction.is_invalid() {
            continue;
        }
        // It may have a prefix.
        if instruction.code() == Code::Syscall && instruction.next_ip() > candidate {
            return true;
        }
        reached |= 1 << (at + instruction.len());
    }
    reached & (1 << end) != 0 || stray(around, candidate) != Verdict::Not
}

/// A verdict for a candidate outside all functions. It is never replaced, as what is around it is
/// unknown, but where it could be a system call it has to be trapped. What tells one from data is
/// an instruction shortly before it that puts the call's number into `eax`, and goes on to the
/// `syscall`.
pub fn stray(around: &Surroundings, candidate: u64) -> Verdict {
    const SHORTLY: u64 = 28;
    let start = candidate.saturating_sub(SHORTLY).max(around.vaddr);
    let before = around.bytes(start, candidate);
    let sets_number = |bytes: &[u8]| match *bytes {
        // mov $nr, %eax, and with a REX.W prefix.
        [0xb8, _, high, 0, 0, ..] | [0x48, 0xc7, 0xc0, _, high, 0, 0, ..] => high < 4,
        // xor %eax, %eax.
        [0x31 | 0x33, 0xc0, ..] => true,
        // mov reg, %eax.
        [0x89, modrm, ..] => modrm & 0xc7 == 0xc0,
        // mov reg or memory, %eax.
        [0x8b, modrm, ..] => modrm & 0x38 == 0,
        _ => false,
    };
    let number_set = (0..before.len())
        .zip(start..)
        .any(|(at, address)| sets_number(&before[at..]) && goes_to(around, address, candidate));
    if number_set {
        Verdict::Trap
    } else {
        Verdict::Not
    }
}

/// Whether code decoded from `from` has an instruction that starts at `to`.
pub fn goes_to(around: &Surroundings, from: u64, to: u64) -> bool {
    let code = around.bytes(from, to + 2);
    let mut decoder = Decoder::with_ip(64, code, from, DecoderOptions::NONE);
    while decoder.ip() < to {
        let instruction = decoder.decode();
        // Zeroes are add %al, (%rax), in data everywhere and in code nowhere.
        let zeroes = instruction.code() == Code::Add_rm8_r8
            && instruction.memory_base() == Register::RAX
            && instruction.op1_register() == Register::AL;
        if instruction.is_invalid() || zeroes {
            return false;
        }
    }
    decoder.ip() == to
}
