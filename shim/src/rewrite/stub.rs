//! The stub of a site: one cache line of code and two words about it.
//!
//! ```text
//!   0  original address after the syscall        8 bytes
//!   8  offset of `after` in this slot            1 byte, 0 in a slot that is none
//!  16  code                                      at most 48 bytes
//! ```
//!
//! A slot is 64 bytes and aligned, so that the site of any address in a stub is one load away, with
//! no table: that is what a switch of tasks looks up.

use iced_x86::{Decoder, DecoderOptions};

use super::plan::{Patch, LONGEST_NEIGHBOURS};

/// The size and alignment of a slot.
pub const SLOT: usize = 64;

/// Where in a slot its code begins.
pub const CODE: usize = 16;

/// What one stub is made from, all of it as run-time addresses.
pub struct Stub<'a> {
    /// The address of the slot.
    pub slot: usize,
    /// The instructions from before the `syscall`.
    pub before: &'a [u8],
    /// The instructions from after it.
    pub after: &'a [u8],
    /// The address of the first instruction from before.
    pub start: usize,
    /// The address after the original `syscall`.
    pub next: usize,
    /// Where to go on.
    pub back: usize,
    /// The address of the word that has the entry's address.
    pub entry: usize,
    /// The entry takes calls without a task, too.
    pub takes_all: bool,
    /// The offset of the current-task word from the FS base.
    pub tpoff: i32,
}

const CORE: usize = 9 + 2 + 7 + 6 + 2;
const _: () = assert!(CODE + LONGEST_NEIGHBOURS as usize + CORE + 5 == SLOT);

impl Stub<'_> {
    /// The bytes of the slot; none if something that it refers to is out of reach.
    pub fn emit(&self) -> Option<[u8; SLOT]> {
        let mut code = Emitter {
            slot: self.slot,
            bytes: [0xcc; SLOT],
            at: CODE,
        };
        code.put_moved(self.before, self.start)?;
        // mov %fs:tpoff, %rcx
        code.put(&[0x64, 0x48, 0x8b, 0x0c, 0x25]);
        code.put(&self.tpoff.to_le_bytes());
        // jrcxz native: like all of this it leaves the flags alone
        if !self.takes_all {
            code.put(&[0xe3, 7 + 6]);
        }
        // lea after(%rip), %r11
        let after = code.at + 7 + 6 + 2;
        code.put(&[0x4c, 0x8d, 0x1d]);
        code.put_relative(self.slot + after)?;
        // jmp *entry(%rip)
        code.put(&[0xff, 0x25]);
        code.put_relative(self.entry)?;
        // native: syscall
        code.put(&[0x0f, 0x05]);
        debug_assert_eq!(code.at, after);
        code.put_moved(self.after, self.next)?;
        // jmp back
        code.put(&[0xe9]);
        code.put_relative(self.back)?;

        code.bytes[..8].copy_from_slice(&self.next.to_le_bytes());
        code.bytes[8..CODE].fill(0);
        code.bytes[8] = after as u8;
        Some(code.bytes)
    }
}

struct Emitter {
    slot: usize,
    bytes: [u8; SLOT],
    at: usize,
}

impl Emitter {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.at..][..bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// The 32 bits that lead from the end of this field to `target`.
    fn put_relative(&mut self, target: usize) -> Option<()> {
        let here = self.slot + self.at + 4;
        self.put(&relative(here, target)?.to_le_bytes());
        Some(())
    }

    /// Instructions that stood at `from`, with rip-relative operands that lead to where they led
    /// there.
    fn put_moved(&mut self, bytes: &[u8], from: usize) -> Option<()> {
        let here = self.slot + self.at;
        let first = self.at;
        self.put(bytes);
        let mut decoder = Decoder::with_ip(64, bytes, from as u64, DecoderOptions::NONE);
        while decoder.can_decode() {
            let at = first + decoder.position();
            let instruction = decoder.decode();
            if instruction.is_ip_rel_memory_operand() {
                // Its length stays as it is, so the displacement changes by as much as the
                // instruction moves.
                let displacement = at
                    + decoder
                        .get_constant_offsets(&instruction)
                        .displacement_offset();
                let field = self.bytes.get_mut(displacement..displacement + 4)?;
                let old = i32::from_le_bytes(field.try_into().ok()?);
                let new = i64::from(old) + (from as i64).wrapping_sub(here as i64);
                field.copy_from_slice(&i32::try_from(new).ok()?.to_le_bytes());
            }
        }
        Some(())
    }
}

/// The displacement of `target` from `here`, if 32 bits are enough for it.
fn relative(here: usize, target: usize) -> Option<i32> {
    i32::try_from(target.wrapping_sub(here) as isize).ok()
}

/// The bytes of a site up to the first byte that stays: the jump to its stub, and traps. None if
/// the stub is out of reach.
pub fn jump(start: usize, kept: usize, slot: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0xcc; kept - start];
    bytes[0] = 0xe9;
    bytes[1..5].copy_from_slice(&relative(start + 5, slot + CODE)?.to_le_bytes());
    Some(bytes)
}

/// The bytes of a patch's neighbours, before and after its `syscall`.
pub fn neighbours<'a>(code: &'a [u8], vaddr: u64, patch: &Patch) -> (&'a [u8], &'a [u8]) {
    let bytes = |from: u64, to: u64| &code[(from - vaddr) as usize..(to - vaddr) as usize];
    (
        bytes(patch.start, patch.syscall),
        bytes(patch.next, patch.end),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::{Code, Instruction, Register};

    const SLOT_AT: usize = 0x7000_0040;
    const START: usize = 0x6fff_1000;

    fn stub<'a>(before: &'a [u8], after: &'a [u8]) -> Stub<'a> {
        let next = START + before.len() + 2;
        Stub {
            slot: SLOT_AT,
            before,
            after,
            start: START,
            next,
            back: next + after.len(),
            entry: 0x7000_0008,
            tpoff: -0x18,
            takes_all: false,
        }
    }

    #[test]
    fn one_that_takes_all_calls_leads_to_its_entry_without_a_look_at_the_task() {
        let mov = [0xb8, 0x3b, 0, 0, 0];
        let stub = Stub {
            takes_all: true,
            ..stub(&mov, &[])
        };
        let bytes = stub.emit().expect("within reach");
        let codes: Vec<Code> = decode(&bytes).iter().map(Instruction::code).collect();
        let expected = [
            Code::Mov_r32_imm32,
            Code::Mov_r64_rm64,
            Code::Lea_r64_m,
            Code::Jmp_rm64,
            Code::Syscall,
            Code::Jmp_rel32_64,
        ];
        assert_eq!(codes, expected);
    }

    fn decode(bytes: &[u8; SLOT]) -> Vec<Instruction> {
        let at = (SLOT_AT + CODE) as u64;
        let decoder = Decoder::with_ip(64, &bytes[CODE..], at, DecoderOptions::NONE);
        let mut instructions: Vec<_> = decoder.into_iter().collect();
        while instructions.last().is_some_and(|i| i.code() == Code::Int3) {
            instructions.pop();
        }
        instructions
    }

    fn after_of(bytes: &[u8; SLOT]) -> u64 {
        (SLOT_AT + usize::from(bytes[8])) as u64
    }

    #[test]
    fn is_what_its_picture_says() {
        let mov = [0xb8, 0x27, 0, 0, 0];
        let cmp = [0x48, 0x3d, 0, 0xf0, 0xff, 0xff];
        let stub = stub(&mov, &cmp);
        let bytes = stub.emit().expect("within reach");
        assert_eq!(bytes[..8], (START + 7).to_le_bytes());

        let code = decode(&bytes);
        let codes: Vec<Code> = code.iter().map(Instruction::code).collect();
        let expected = [
            Code::Mov_r32_imm32,
            Code::Mov_r64_rm64,
            Code::Jrcxz_rel8_64,
            Code::Lea_r64_m,
            Code::Jmp_rm64,
            Code::Syscall,
            Code::Cmp_RAX_imm32,
            Code::Jmp_rel32_64,
        ];
        assert_eq!(codes, expected);
        let [_, task, if_none, return_to, enter, native, moved, back] = code[..] else {
            unreachable!()
        };
        assert_eq!(task.op0_register(), Register::RCX);
        assert_eq!(task.segment_prefix(), Register::FS);
        assert_eq!(task.memory_base(), Register::None);
        assert_eq!(task.memory_displacement64() as i64, -0x18);
        assert_eq!(if_none.near_branch_target(), native.ip());
        assert_eq!(return_to.op0_register(), Register::R11);
        assert_eq!(return_to.ip_rel_memory_address(), moved.ip());
        assert_eq!(enter.ip_rel_memory_address(), 0x7000_0008);
        assert_eq!(after_of(&bytes), moved.ip());
        assert_eq!(native.next_ip(), moved.ip());
        assert_eq!(back.near_branch_target(), stub.back as u64);
    }

    #[test]
    fn the_longest_neighbours_fit() {
        let nop = [
            0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0,
        ];
        let before = [&[0x89, 0xd0][..], &nop].concat();
        assert_eq!(before.len() as u64, LONGEST_NEIGHBOURS);
        let bytes = stub(&before, &[]).emit().expect("within reach");
        assert_eq!(
            decode(&bytes).last().map(|i| i.code()),
            Some(Code::Jmp_rel32_64)
        );
    }

    #[test]
    fn moved_operands_lead_to_where_they_led() {
        // movl $1, 0x7087(%rip): the displacement is not the last field. mov 0x30(%rip), %edi.
        let store = [0xc7, 0x05, 0x87, 0x70, 0, 0, 1, 0, 0, 0];
        let load = [0x8b, 0x3d, 0x30, 0, 0, 0];
        let bytes = stub(&store, &load).emit().expect("within reach");
        let code = decode(&bytes);
        let stored_to = (START + store.len() + 0x7087) as u64;
        assert_eq!(code[0].ip_rel_memory_address(), stored_to);
        assert_eq!(code[0].immediate32(), 1);
        let loaded_from = (START + store.len() + 2 + load.len() + 0x30) as u64;
        let moved = code.iter().find(|i| i.ip() == after_of(&bytes));
        assert_eq!(moved.map(|i| i.ip_rel_memory_address()), Some(loaded_from));
    }

    #[test]
    fn out_of_reach_is_no_stub() {
        let mut far = stub(&[0xb8, 0x27, 0, 0, 0], &[]);
        far.back = SLOT_AT + (1 << 32);
        assert_eq!(far.emit(), None);
        assert_eq!(jump(START, START + 5, START + (1 << 31)), None);
    }

    #[test]
    fn the_jump_fills_up_to_what_is_kept() {
        let bytes = jump(START, START + 7, SLOT_AT).expect("within reach");
        assert_eq!(bytes.len(), 7);
        assert_eq!(bytes[5..], [0xcc, 0xcc]);
        let mut decoder = Decoder::with_ip(64, &bytes, START as u64, DecoderOptions::NONE);
        assert_eq!(
            decoder.decode().near_branch_target(),
            (SLOT_AT + CODE) as u64
        );
    }
}
