//! A function, decoded, and what leads into it.

use iced_x86::{
    Code, Decoder, DecoderOptions, EncodingKind, FlowControl, Instruction, Mnemonic, OpKind,
    Register,
};

use super::plan::Surroundings;
use super::sift::goes_to;
use crate::image::Function;

/// A function, decoded.
pub struct Body<'a> {
    around: &'a Surroundings<'a>,
    /// All of it, in order.
    pub instructions: Vec<Instruction>,
    /// Sorted addresses in it that something in it leads to.
    targets: Vec<u64>,
    /// It uses registers beyond SSE.
    pub extended: bool,
}

impl<'a> Body<'a> {
    /// Decodes a function; none if some of it is no code, as then nobody knows where code begins
    /// again.
    ///
    /// Hand-written assembly may end its unwind information in mid-code (glibc's clone does, right
    /// at the `syscall`, to be the end of all backtraces): code that the function falls through
    /// into is taken as part of it, to the first instruction that does not go on.
    pub fn decode(around: &'a Surroundings<'a>, function: Function) -> Option<Body<'a>> {
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
        let near = matches!(
            instruction.op0_kind(),
            OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64
        );
        if near {
            self.targets.push(instruction.near_branch_target());
        } else if instruction.code() == Code::Endbr64 {
            self.targets.push(instruction.ip());
        } else if instruction.is_ip_rel_memory_operand() {
            self.targets.push(instruction.ip_rel_memory_address());
        }
    }

    /// The targets of jump tables: where the function takes a rip-relative address, entries
    /// relative to it; where it jumps through memory at a plain address, absolute ones. What is no
    /// table ends at once, as its first word does not lead into code; words after a table's end can
    /// at worst cost a choice.
    fn note_tables(&mut self) {
        const LONGEST: u64 = 4096;
        let code = self.around.vaddr..self.around.end();
        let mut found = Vec::new();
        for instruction in &self.instructions {
            if instruction.is_ip_rel_memory_operand() && instruction.mnemonic() == Mnemonic::Lea {
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
    pub fn containing(&self, address: u64) -> Option<usize> {
        let index = self
            .instructions
            .partition_point(|i| i.ip() <= address)
            .checked_sub(1)?;
        (address < self.instructions[index].next_ip()).then_some(index)
    }

    /// Whether anything leads to an address inside `start..end`, other than `start`.
    pub fn jumped_into(&self, start: u64, end: u64) -> bool {
        let any = |targets: &[u64]| {
            let first = targets.partition_point(|&at| at <= start);
            targets.get(first).is_some_and(|&at| at < end)
        };
        any(&self.targets) || any(self.around.targets()) || self.short_jump_into(start, end)
    }

    /// Whether the code around the function, as near as it has to be, has a short jump (`jcc`,
    /// `jmp`, `loop`, `jrcxz`) into it: bytes that look like one, at the start of an instruction of
    /// their own function.
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
    pub fn movable(&self, instruction: &Instruction) -> bool {
        instruction.flow_control() == FlowControl::Next
            && instruction.code() != Code::Endbr64
            && (!instruction.is_ip_rel_memory_operand()
                || self
                    .around
                    .extent
                    .contains(&instruction.ip_rel_memory_address()))
    }
}
