//! Which bytes of a function to replace: five or more around each `syscall`.
//!
//! Pure: bytes and addresses in, a verdict for each candidate out. A `jmp rel32` takes five bytes and a
//! `syscall` two, so neighbouring instructions move into the stub. A patch is legal if
//!
//! - nothing jumps to an address inside it (to its first byte is fine: that is the `jmp`). Known targets
//!   are all direct branches of the function, its jump tables, the addresses it takes of its own code,
//!   `endbr64`, long jumps from anywhere in the object and short jumps from the functions around it.
//!   Exception landing pads need no look: they start with the exception in `rax`, where the inside of
//!   a patch has a system call's number or result;
//! - what moves means the same elsewhere: no control flow, no `endbr64`, and a rip-relative operand only within the
//!   object, which all of its stubs can reach (libgomp stores into a global right before its `syscall; ret`);
//! - what moves from before the `syscall` leaves the stack pointer alone, as a task that waits in
//!   the call is unwound from the instruction after it, with all of the prologue done as usual.
//!
//! Instructions before are preferred to those after: nearly always that is `mov $nr, %eax`, whose five
//! bytes are just the jump. The `syscall` itself then stays behind it, untouched, where debuggers and
//! tracers look for it, and where a jump that nobody could see would find it.

use std::ops::Range;

use iced_x86::{
    Code, Decoder, DecoderOptions, EncodingKind, FlowControl, Instruction, InstructionInfoFactory,
    OpAccess, Register,
};

use super::image::Function;

/// The length of a `jmp rel32`.
pub const JUMP: u64 = 5;

/// The longest neighbours that a patch can have: two bytes were too few, and then came the longest instruction.
pub const LONGEST_NEIGHBOURS: u64 = 2 + 15;

/// The bytes to replace, as link-time addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patch {
    /// The first byte to replace, where the jump goes.
    pub start: u64,
    /// The `syscall` instruction.
    pub syscall: u64,
    /// The instruction after it.
    pub next: u64,
    /// The first byte after the patch, where the stub jumps back to.
    pub end: u64,
    /// The first instruction boundary at which nothing of the jump is left: from here on bytes stay as they are.
    pub kept: u64,
    /// The function uses registers beyond SSE.
    pub extended: bool,
}

/// What to do about a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A `syscall`, and how to replace it.
    Rewrite(Patch),
    /// A `syscall` that cannot be replaced, or something that may be one.
    Trap,
    /// Some other instruction's bytes, or data.
    Not,
}

/// What is known about the code around a function.
pub struct Surroundings<'a> {
    /// All the bytes of the segment.
    pub code: &'a [u8],
    /// The link-time address of the first of them.
    pub vaddr: u64,
    /// Addresses, sorted, that long jumps lead to.
    pub targets: &'a [u64],
    /// All addresses of the object.
    pub extent: Range<u64>,
    /// Reads 32 bits anywhere in the object.
    pub word: &'a dyn Fn(u64) -> Option<i32>,
    /// The last function that starts at or before an address.
    pub function: &'a dyn Fn(u64) -> Option<Function>,
}

impl Surroundings<'_> {
    fn end(&self) -> u64 {
        self.vaddr + self.code.len() as u64
    }

    /// What there is of `start..end`.
    fn bytes(&self, start: u64, end: u64) -> &[u8] {
        let offset = |address: u64| (address.clamp(self.vaddr, self.end()) - self.vaddr) as usize;
        self.code
            .get(offset(start)..offset(end))
            .unwrap_or_default()
    }
}

/// A verdict for a candidate outside all functions. It is never replaced, as what is around it is unknown,
/// but where it could be a system call it has to be trapped. What tells one from data is an instruction
/// shortly before it that puts the call's number into `eax`, and goes on to the `syscall`.
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
fn goes_to(around: &Surroundings, from: u64, to: u64) -> bool {
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

/// A verdict for each of `candidates` (addresses of `0f 05`, ascending), which lie in `function` or between it and the next.
pub fn plan(around: &Surroundings, function: Function, candidates: &[u64]) -> Vec<Verdict> {
    let Some(body) = Body::decode(around, function) else {
        return candidates.iter().map(|&at| stray(around, at)).collect();
    };
    let mut taken = function.start;
    let mut verdicts = Vec::with_capacity(candidates.len());
    for &candidate in candidates {
        let verdict = match body.containing(candidate) {
            None => stray(around, candidate),
            Some(index) if body.instructions[index].code() != Code::Syscall => Verdict::Not,
            Some(index) => match body.patch(index, taken) {
                Some(patch) => {
                    taken = patch.end;
                    Verdict::Rewrite(patch)
                }
                None => Verdict::Trap,
            },
        };
        verdicts.push(verdict);
    }
    verdicts
}

/// A function, decoded.
struct Body<'a> {
    around: &'a Surroundings<'a>,
    instructions: Vec<Instruction>,
    /// Sorted addresses in it that something in it leads to.
    targets: Vec<u64>,
    extended: bool,
}

impl<'a> Body<'a> {
    /// Decodes a function; none if some of it is no code, as then nobody knows where code begins again.
    ///
    /// Hand-written assembly may end its unwind information in mid-code (glibc's clone does, right at the `syscall`, to be
    /// the end of all backtraces): code that the function falls through into is taken as part of it, to the
    /// first instruction that does not go on.
    fn decode(around: &'a Surroundings<'a>, function: Function) -> Option<Body<'a>> {
        let limit = function.next.unwrap_or(function.end).max(function.end);
        if function.start < around.vaddr || function.end > around.end() {
            return None;
        }
        let code = around.bytes(function.start, limit);
        let mut body = Body {
            around,
            instructions: Vec::with_capacity(code.len() / 4),
            targets: Vec::new(),
            extended: false,
        };
        let mut indirect = false;
        let mut decoder = Decoder::with_ip(64, code, function.start, DecoderOptions::NONE);
        let mut falls_through = true;
        while decoder.ip() < function.end || (falls_through && decoder.can_decode()) {
            let instruction = decoder.decode();
            if instruction.is_invalid() {
                if instruction.ip() < function.end {
                    return None;
                }
                break;
            }
            falls_through = match instruction.flow_control() {
                FlowControl::Next | FlowControl::ConditionalBranch => true,
                // A call at the very end of a function does not return.
                FlowControl::Call | FlowControl::IndirectCall => {
                    instruction.code() == Code::Syscall || instruction.next_ip() != function.end
                }
                _ => false,
            };
            indirect |= instruction.flow_control() == FlowControl::IndirectBranch;
            body.extended |= instruction.encoding() != EncodingKind::Legacy;
            body.note_targets(&instruction);
            body.instructions.push(instruction);
        }
        if indirect {
            body.note_tables();
        }
        body.targets.sort_unstable();
        Some(body)
    }

    fn note_targets(&mut self, instruction: &Instruction) {
        if instruction.is_jmp_short_or_near()
            || instruction.is_jcc_short_or_near()
            || instruction.is_call_near()
            || instruction.is_jcx_short()
            || instruction.is_loop()
            || instruction.is_loopcc()
            || instruction.code() == Code::Xbegin_rel32
        {
            self.targets.push(instruction.near_branch_target());
        } else if instruction.code() == Code::Endbr64 {
            self.targets.push(instruction.ip());
        } else if instruction.is_ip_rel_memory_operand() {
            self.targets.push(instruction.ip_rel_memory_address());
        }
    }

    /// The targets of jump tables: where the function takes a rip-relative address, entries relative to it; where it jumps
    /// through memory at a plain address, absolute ones. What is no table ends at once, as its first
    /// word does not lead into code; words after a table's end can at worst cost a choice.
    fn note_tables(&mut self) {
        const LONGEST: u64 = 4096;
        let code = self.around.vaddr..self.around.end();
        let mut found = Vec::new();
        for instruction in &self.instructions {
            if instruction.is_ip_rel_memory_operand()
                && instruction.mnemonic() == iced_x86::Mnemonic::Lea
            {
                let table = instruction.ip_rel_memory_address();
                let relative = |entry| {
                    let word = (self.around.word)(table.checked_add(entry * 4)?)?;
                    Some(table.wrapping_add_signed(word.into()))
                };
                found.extend(
                    (0..LONGEST)
                        .map_while(relative)
                        .take_while(|at| code.contains(at)),
                );
            } else if instruction.flow_control() == FlowControl::IndirectBranch
                && instruction.memory_index() != Register::None
                && instruction.memory_base() == Register::None
            {
                let table = instruction.memory_displacement64();
                let absolute = |entry| {
                    let low = (self.around.word)(table.checked_add(entry * 8)?)?;
                    let high = (self.around.word)(table.checked_add(entry * 8 + 4)?)?;
                    (high == 0).then_some(u64::from(low as u32))
                };
                found.extend(
                    (0..LONGEST)
                        .map_while(absolute)
                        .take_while(|at| code.contains(at)),
                );
            }
        }
        self.targets.append(&mut found);
    }

    /// The index of the instruction that has the byte at `address`.
    fn containing(&self, address: u64) -> Option<usize> {
        let index = self
            .instructions
            .partition_point(|i| i.ip() <= address)
            .checked_sub(1)?;
        (address < self.instructions[index].next_ip()).then_some(index)
    }

    /// The best patch for the `syscall` at `index` that starts at or after `earliest`: as few instructions as possible from after
    /// the call, then as few as possible from before it.
    fn patch(&self, index: usize, earliest: u64) -> Option<Patch> {
        let (before, after) = self.instructions.split_at(index);
        let (syscall, after) = after.split_first()?;
        let mut info = InstructionInfoFactory::new();
        let movable_before = before
            .iter()
            .rev()
            .take_while(|i| i.ip() >= earliest && self.movable(i) && !moves_stack(i, &mut info));
        let movable_after = after.iter().take_while(|i| self.movable(i));

        let starts: Vec<u64> = [syscall.ip()]
            .into_iter()
            .chain(movable_before.map(Instruction::ip))
            .take_while(|start| syscall.ip() - start <= LONGEST_NEIGHBOURS)
            .collect();
        let ends = [syscall.next_ip()]
            .into_iter()
            .chain(movable_after.map(Instruction::next_ip))
            .take_while(|end| end - syscall.next_ip() <= LONGEST_NEIGHBOURS);
        let (start, end) = ends
            .flat_map(|end| starts.iter().map(move |&start| (start, end)))
            .find(|&(start, end)| {
                let neighbours = end - start - syscall.len() as u64;
                end - start >= JUMP
                    && neighbours <= LONGEST_NEIGHBOURS
                    && !self.jumped_into(start, end)
            })?;
        let kept = [syscall.ip(), syscall.next_ip()]
            .into_iter()
            .find(|&at| at >= start + JUMP)
            .unwrap_or(end);
        Some(Patch {
            start,
            syscall: syscall.ip(),
            next: syscall.next_ip(),
            end,
            kept,
            extended: self.extended,
        })
    }

    /// Whether anything leads to an address inside `start..end`, other than `start`.
    fn jumped_into(&self, start: u64, end: u64) -> bool {
        let any = |targets: &[u64]| {
            let first = targets.partition_point(|&at| at <= start);
            targets.get(first).is_some_and(|&at| at < end)
        };
        any(&self.targets) || any(self.around.targets) || self.short_jump_into(start, end)
    }

    /// Whether the code around the function, as near as it has to be, has a short jump (`jcc`, `jmp`, `loop`, `jrcxz`) into it: bytes that look like one,
    /// at the start of an instruction of their own function.
    fn short_jump_into(&self, start: u64, end: u64) -> bool {
        const REACH: u64 = 130;
        let (Some(first), Some(last)) = (self.instructions.first(), self.instructions.last())
        else {
            return false;
        };
        let leads_into = |from: u64, to: u64| {
            let from = from.max(self.around.vaddr);
            let pairs = self.around.bytes(from, to).windows(2);
            pairs.zip(from..).any(|(pair, at)| {
                let target = (at + 2).wrapping_add_signed((pair[1] as i8).into());
                matches!(pair[0], 0x70..=0x7f | 0xe0..=0xe3 | 0xeb)
                    && start < target
                    && target < end
                    && (self.around.function)(at)
                        .is_none_or(|function| goes_to(self.around, function.start, at))
            })
        };
        leads_into(start.saturating_sub(REACH), first.ip())
            || leads_into(last.next_ip(), end + REACH)
    }

    /// Whether an instruction does the same in a stub.
    fn movable(&self, instruction: &Instruction) -> bool {
        instruction.flow_control() == FlowControl::Next
            && instruction.code() != Code::Endbr64
            && (!instruction.is_ip_rel_memory_operand()
                || self
                    .around
                    .extent
                    .contains(&instruction.ip_rel_memory_address()))
    }
}

/// Whether an instruction changes the stack pointer.
fn moves_stack(instruction: &Instruction, info: &mut InstructionInfoFactory) -> bool {
    instruction.is_stack_instruction()
        || info.info(instruction).used_registers().iter().any(|used| {
            used.register().full_register() == Register::RSP
                && !matches!(
                    used.access(),
                    OpAccess::None | OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess
                )
        })
}
