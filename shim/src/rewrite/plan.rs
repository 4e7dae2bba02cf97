//! Which bytes of a function to replace: five or more around each `syscall`.
//!
//! Pure: bytes and addresses in, a verdict for each candidate out. A `jmp rel32` takes five bytes
//! and a `syscall` two, so neighbouring instructions move into the stub. A patch is legal if
//!
//! - nothing jumps to an address inside it (to its first byte is fine: that is the `jmp`). Known
//!   targets are all direct branches of the function, its jump tables, the addresses it takes of its
//!   own code, `endbr64`, long jumps from anywhere in the object and short jumps from the functions
//!   around it. None of these is left out for speed: long jumps are only sought to within 32 bytes
//!   of the pairs that [`sift`](super::sift) lets through, which every `syscall` is, and a patch
//!   spans less than that around it. Exception landing pads need no look: they start with the
//!   exception in `rax`, where the inside of a patch has a system call's number or result;
//! - what moves means the same elsewhere: no control flow, no `endbr64`, and a rip-relative operand
//!   only within the object, which all of its stubs can reach (libgomp stores into a global right
//!   before its `syscall; ret`);
//! - what moves from before the `syscall` leaves the stack pointer alone, as a task that waits in the
//!   call is unwound from the instruction after it, with all of the prologue done as usual.
//!
//! Instructions before are preferred to those after: nearly always that is `mov $nr, %eax`, whose
//! five bytes are just the jump. The `syscall` itself then stays behind it, untouched, where
//! debuggers and tracers look for it, and where a jump that nobody could see would find it.

use std::cell::OnceCell;
use std::ops::Range;

use iced_x86::{Code, Instruction, InstructionInfoFactory, OpAccess, Register};

use super::body::Body;
use super::sift::stray;
use crate::image::Function;

/// The length of a `jmp rel32`.
pub const JUMP: u64 = 5;

/// The longest neighbours that a patch can have: two bytes were too few, and then came the longest
/// instruction.
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
    /// The first instruction boundary at which nothing of the jump is left: from here on bytes stay
    /// as they are.
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
    /// The addresses, sorted, that long jumps from anywhere in the object lead to, of those near a
    /// candidate: sought when the first real `syscall` turns up, which in most objects none does.
    pub targets: OnceCell<Vec<u64>>,
    /// Seeks them.
    pub long_jumps: &'a dyn Fn() -> Vec<u64>,
    /// All addresses of the object.
    pub extent: Range<u64>,
    /// Reads 32 bits anywhere in the object.
    pub word: &'a dyn Fn(u64) -> Option<i32>,
    /// The last function that starts at or before an address.
    pub function: &'a dyn Fn(u64) -> Option<Function>,
}

impl Surroundings<'_> {
    /// The address after the last byte.
    pub fn end(&self) -> u64 {
        self.vaddr + self.code.len() as u64
    }

    /// Where long jumps lead to.
    pub fn targets(&self) -> &[u64] {
        self.targets.get_or_init(self.long_jumps)
    }

    /// What there is of `start..end`.
    pub fn bytes(&self, start: u64, end: u64) -> &[u8] {
        let offset = |address: u64| (address.clamp(self.vaddr, self.end()) - self.vaddr) as usize;
        self.code
            .get(offset(start)..offset(end))
            .unwrap_or_default()
    }
}

/// A verdict for each of `candidates` (addresses of `0f 05`, ascending), which lie in `function` or
/// between it and the next.
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

impl Body<'_> {
    /// The best patch for the `syscall` at `index` that starts at or after `earliest`: as few
    /// instructions as possible from after the call, then as few as possible from before it.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::{scan, sift};

    const BASE: u64 = 0x1000;
    const SYSCALL: &[u8] = &[0x0f, 0x05];
    const MOV_EAX: &[u8] = &[0xb8, 0x27, 0, 0, 0];
    const CMP: &[u8] = &[0x48, 0x3d, 0, 0xf0, 0xff, 0xff];
    const RET: &[u8] = &[0xc3];

    /// Code made of functions, with unwind information for each and nothing between them.
    #[derive(Default)]
    struct Code {
        bytes: Vec<u8>,
        functions: Vec<Function>,
        targets: Vec<u64>,
        words: Vec<(u64, i32)>,
    }

    impl Code {
        fn one(parts: &[&[u8]]) -> Code {
            Code::default().function(parts)
        }

        fn end(&self) -> u64 {
            BASE + self.bytes.len() as u64
        }

        fn function(mut self, parts: &[&[u8]]) -> Code {
            let start = self.end();
            if let Some(last) = self.functions.last_mut() {
                last.next = Some(start);
            }
            self.bytes.extend(parts.concat());
            let end = self.end();
            self.functions.push(Function {
                start,
                end,
                next: None,
            });
            self
        }

        /// Bytes that belong to no function.
        fn gap(mut self, parts: &[&[u8]]) -> Code {
            self.bytes.extend(parts.concat());
            self
        }

        fn verdicts(&self) -> Vec<Verdict> {
            let word = |at| self.words.iter().find(|w| w.0 == at).map(|w| w.1);
            let function = |at| self.functions.iter().rev().find(|f| f.start <= at).copied();
            let candidates = scan::candidates(&self.bytes);
            let targets = || self.targets.clone();
            let around = Surroundings {
                code: &self.bytes,
                vaddr: BASE,
                targets: OnceCell::new(),
                long_jumps: &targets,
                extent: BASE..BASE + 0x1_0000,
                word: &word,
                function: &function,
            };
            let candidates: Vec<u64> = candidates.iter().map(|&at| BASE + at as u64).collect();
            let verdicts: Vec<Verdict> = candidates
                .chunk_by(|&a, &b| function(a) == function(b))
                .flat_map(|group| match function(group[0]) {
                    Some(function) => plan(&around, function, group),
                    None => group.iter().map(|&at| stray(&around, at)).collect(),
                })
                .collect();
            // What is sifted out is none.
            for (&at, verdict) in candidates.iter().zip(&verdicts) {
                let possible = function(at).is_none_or(|f| sift::possible(&around, &f, at));
                assert!(possible || *verdict == Verdict::Not, "{at:#x}: {verdict:?}");
            }
            verdicts
        }

        /// The offsets (start, syscall, end, kept) of patches; none for a trap.
        fn patches(&self) -> Vec<Option<[u64; 4]>> {
            let offsets = |verdict| match verdict {
                Verdict::Rewrite(p) => {
                    assert_eq!(p.next, p.syscall + 2);
                    assert!(p.end - p.start >= JUMP && p.kept >= p.start + JUMP);
                    Some([p.start, p.syscall, p.end, p.kept].map(|at| at - BASE))
                }
                Verdict::Trap => None,
                Verdict::Not => panic!("not taken for a syscall"),
            };
            self.verdicts().into_iter().map(offsets).collect()
        }
    }

    #[test]
    fn takes_the_number_and_keeps_the_syscall_in_place() {
        let code = Code::one(&[MOV_EAX, SYSCALL, CMP, RET]);
        assert_eq!(code.patches(), [Some([0, 5, 7, 5])]);
        // With a longer one, there are traps between the jump and the syscall.
        let mov_rax = [0x48, 0xc7, 0xc0, 0x27, 0, 0, 0];
        let code = Code::one(&[&mov_rax, SYSCALL, RET]);
        assert_eq!(code.patches(), [Some([0, 7, 9, 7])]);
    }

    #[test]
    fn takes_as_few_neighbours_as_it_can() {
        // mov %edi, %edi; xor %edi, %edi; mov %edx, %eax; syscall: the last two are too few.
        let code = Code::one(&[&[0x89, 0xff], &[0x31, 0xff], &[0x89, 0xd0], SYSCALL, RET]);
        assert_eq!(code.patches(), [Some([2, 6, 8, 8])]);
    }

    #[test]
    fn at_a_functions_start_takes_what_follows() {
        let code = Code::one(&[SYSCALL, CMP, RET]);
        assert_eq!(code.patches(), [Some([0, 0, 8, 8])]);
        // The function before ends in something that could move, but belongs to another.
        let code = Code::one(&[MOV_EAX]).function(&[SYSCALL, CMP, RET]);
        assert_eq!(code.patches(), [Some([5, 5, 13, 13])]);
    }

    #[test]
    fn without_neighbours_it_traps() {
        assert_eq!(Code::one(&[SYSCALL, RET]).patches(), [None]);
        assert_eq!(Code::one(&[&[0x89, 0xd0], SYSCALL, RET]).patches(), [None]);
    }

    #[test]
    fn at_a_functions_end_leaves_the_next_alone() {
        let code = Code::one(&[MOV_EAX, SYSCALL]).function(&[CMP, RET]);
        assert_eq!(code.patches(), [Some([0, 5, 7, 5])]);
        let code = Code::one(&[SYSCALL]).function(&[CMP, RET]);
        assert_eq!(code.patches(), [None]);
    }

    #[test]
    fn never_takes_a_branch_target_inside() {
        // je to the syscall; so it takes what follows.
        let code = Code::one(&[&[0x74, 5], MOV_EAX, SYSCALL, CMP, RET]);
        assert_eq!(code.patches(), [Some([7, 7, 15, 15])]);
        // je to the instruction after it as well.
        let code = Code::one(&[&[0x74, 9], &[0x74, 5], MOV_EAX, SYSCALL, CMP, RET]);
        assert_eq!(code.patches(), [None]);
        // je from behind, to the instruction after it, then to the syscall too.
        let code = Code::one(&[MOV_EAX, SYSCALL, CMP, &[0x74, 0xf8], RET]);
        assert_eq!(code.patches(), [Some([0, 5, 7, 5])]);
        let code = Code::one(&[MOV_EAX, SYSCALL, CMP, &[0x74, 0xf8], &[0x74, 0xf4], RET]);
        assert_eq!(code.patches(), [None]);
        // A target at the very start is fine: it is where the jump is.
        let code = Code::one(&[&[0x74, 0], MOV_EAX, SYSCALL, RET]);
        assert_eq!(code.patches(), [Some([2, 7, 9, 7])]);
        // So is one that jumps over a lock prefix, into the middle of an instruction, elsewhere.
        let locked = [0x74, 1, 0xf0, 0x0f, 0xb1, 0x17];
        let code = Code::one(&[&locked, MOV_EAX, SYSCALL, RET]);
        assert_eq!(code.patches(), [Some([6, 11, 13, 11])]);
    }

    #[test]
    fn sees_long_jumps_of_other_functions() {
        let mut code = Code::one(&[MOV_EAX, SYSCALL, CMP, RET]);
        code.targets = vec![BASE + 5];
        assert_eq!(code.patches(), [Some([5, 5, 13, 13])]);
        code.targets = vec![BASE + 5, BASE + 7];
        assert_eq!(code.patches(), [None]);
        code.targets = vec![BASE, BASE + 13];
        assert_eq!(code.patches(), [Some([0, 5, 7, 5])]);
    }

    #[test]
    fn sees_short_jumps_of_neighbouring_functions() {
        // The next function jumps back to the syscall.
        let site = [MOV_EAX, SYSCALL, CMP, RET];
        let code = Code::one(&site).function(&[&[0xeb, 0xf5], RET]);
        assert_eq!(code.patches(), [Some([5, 5, 13, 13])]);
        // The function before jumps ahead to it.
        let code = Code::one(&[&[0x75, 6], RET]).function(&site);
        assert_eq!(code.patches(), [Some([8, 8, 16, 16])]);
        // The same bytes as part of an instruction: mov $0xf4eb.., %eax.
        let code = Code::one(&site).function(&[&[0xb8, 0xeb, 0xf4, 0, 0], RET]);
        assert_eq!(code.patches(), [Some([0, 5, 7, 5])]);
    }

    #[test]
    fn sees_jump_tables() {
        // lea 0x100(%rip), %rdx; movslq (%rdx,%rax,4), %rax; add %rdx, %rax; jmp *%rax; mov;
        // syscall; cmp; ret
        let lea = [0x48, 0x8d, 0x15, 0, 1, 0, 0];
        let load = [0x48, 0x63, 0x04, 0x82, 0x48, 0x01, 0xd0];
        let parts = [&lea[..], &load, &[0xff, 0xe0], MOV_EAX, SYSCALL, CMP, RET];
        let mut code = Code::one(&parts);
        assert_eq!(code.patches(), [Some([16, 21, 23, 21])]);
        let table = BASE + 0x107;
        code.words = vec![(table, 16 - 0x107), (table + 4, 21 - 0x107)];
        assert_eq!(code.patches(), [Some([21, 21, 29, 29])]);
        // The entry after one that leads nowhere is of no table.
        code.words = vec![(table, 1 << 20), (table + 4, 21 - 0x107)];
        assert_eq!(code.patches(), [Some([16, 21, 23, 21])]);

        // jmp *0x2000(,%rax,8)
        let jump = [0xff, 0x24, 0xc5, 0, 0x20, 0, 0];
        let mut code = Code::one(&[&jump, MOV_EAX, SYSCALL, CMP, RET]);
        assert_eq!(code.patches(), [Some([7, 12, 14, 12])]);
        let to_syscall = (BASE + 12) as i32;
        code.words = vec![(0x2000, to_syscall), (0x2004, 0)];
        assert_eq!(code.patches(), [Some([12, 12, 20, 20])]);
    }

    #[test]
    fn adjacent_syscalls_share_nothing() {
        let code = Code::one(&[MOV_EAX, SYSCALL, SYSCALL, CMP, RET]);
        assert_eq!(code.patches(), [Some([0, 5, 7, 5]), Some([7, 7, 15, 15])]);
        // Only one of them finds a neighbour: the second may not go back into the first's patch.
        let code = Code::one(&[MOV_EAX, SYSCALL, SYSCALL, RET]);
        assert_eq!(code.patches(), [Some([0, 5, 7, 5]), None]);
        let code = Code::one(&[SYSCALL, MOV_EAX, SYSCALL, RET]);
        assert_eq!(code.patches(), [Some([0, 0, 7, 7]), None]);
    }

    #[test]
    fn moves_rip_relative_operands_within_the_object() {
        // mov %esi, 0x100(%rip), and the same far outside.
        let code = Code::one(&[&[0x89, 0x35, 0, 1, 0, 0], SYSCALL, RET]);
        assert_eq!(code.patches(), [Some([0, 6, 8, 6])]);
        let code = Code::one(&[&[0x89, 0x35, 0, 0, 0, 0x40], SYSCALL, RET]);
        assert_eq!(code.patches(), [None]);
    }

    #[test]
    fn leaves_the_stack_pointer_alone_before_the_call() {
        let before: [&[u8]; 4] = [
            &[0x41, 0x57, 0x41, 0x56],    // push %r15; push %r14
            &[0x48, 0x83, 0xec, 0x18],    // sub $24, %rsp
            &[0x48, 0x8d, 0x64, 0x24, 8], // lea 8(%rsp), %rsp
            &[0x4c, 0x89, 0xdc],          // mov %r11, %rsp
        ];
        for moving in before {
            assert_eq!(Code::one(&[moving, SYSCALL, RET]).patches(), [None]);
            let code = Code::one(&[moving, SYSCALL, CMP, RET]);
            let at = moving.len() as u64;
            assert_eq!(code.patches(), [Some([at, at, at + 8, at + 8])]);
        }
        // Reading it is fine: mov 8(%rsp), %r9. So is moving it after the call: pop %rdx; cmp.
        let code = Code::one(&[&[0x4c, 0x8b, 0x4c, 0x24, 8], SYSCALL, RET]);
        assert_eq!(code.patches(), [Some([0, 5, 7, 5])]);
        let code = Code::one(&[SYSCALL, &[0x5a], CMP, RET]);
        assert_eq!(code.patches(), [Some([0, 0, 9, 9])]);
    }

    #[test]
    fn leaves_landing_places_of_indirect_branches_alone() {
        let endbr = [0xf3, 0x0f, 0x1e, 0xfa];
        assert_eq!(Code::one(&[&endbr, SYSCALL, RET]).patches(), [None]);
        let code = Code::one(&[&endbr, MOV_EAX, SYSCALL, RET]);
        assert_eq!(code.patches(), [Some([4, 9, 11, 9])]);
        // lea to the syscall itself: its address is taken.
        let lea = [0x48, 0x8d, 0x15, 5, 0, 0, 0];
        let code = Code::one(&[&lea, MOV_EAX, SYSCALL, CMP, RET]);
        assert_eq!(code.patches(), [Some([12, 12, 20, 20])]);
    }

    #[test]
    fn follows_code_over_the_end_of_its_unwind_information() {
        // As glibc's clone: the function ends where its syscall is.
        let code = Code::one(&[MOV_EAX]).gap(&[SYSCALL, &[0x48, 0x85, 0xc0, 0x74, 1], RET]);
        let code = code.function(&[&[0x31, 0xed], RET]);
        assert_eq!(code.patches(), [Some([0, 5, 7, 5])]);
        // But not over a call that does not return, as it is the last instruction.
        let call = [0xe8, 0, 1, 0, 0];
        let code = Code::one(&[MOV_EAX, &call]).gap(&[SYSCALL, CMP, RET]);
        let code = code.function(&[RET]);
        assert_eq!(code.verdicts(), [Verdict::Trap]);
        // Nor over a return.
        let code = Code::one(&[MOV_EAX, RET]).gap(&[SYSCALL, CMP, RET]);
        let code = code.function(&[RET]);
        assert_eq!(code.verdicts(), [Verdict::Trap]);
    }

    #[test]
    fn what_no_instruction_is_stays() {
        // mov $0x50f, %eax; jne with a displacement of the kind; a candidate in between two
        // instructions.
        let not: [&[u8]; 3] = [
            &[0xb8, 0x0f, 0x05, 0, 0],
            &[0x0f, 0x85, 0x0f, 0x05, 0, 0],
            &[0xb0, 0x0f, 0x05, 1, 0, 0, 0],
        ];
        for bytes in not {
            assert_eq!(Code::one(&[bytes, RET]).verdicts(), [Verdict::Not]);
        }
        // A table in a function, and between functions, of numbers and of zeroes.
        let table = [6, 0x11, 0x0f, 0x05, 0x27, 0];
        let code = Code::one(&[MOV_EAX, RET, &table]);
        assert_eq!(code.verdicts(), [Verdict::Not]);
        let code = Code::one(&[RET]).gap(&[&[0x8b, 5, 0, 0, 0, 0, 0, 0], SYSCALL, &[0, 0]]);
        assert_eq!(code.verdicts(), [Verdict::Not]);
    }

    #[test]
    fn what_may_be_a_syscall_traps() {
        // No function around it, but a number set before it.
        let code = Code::default().gap(&[MOV_EAX, SYSCALL, RET]);
        assert_eq!(code.verdicts(), [Verdict::Trap]);
        let load = [0x48, 0x8b, 0x44, 0x24, 8];
        let code = Code::one(&[RET]).gap(&[&load, &[0x89, 0xfe], SYSCALL, RET]);
        assert_eq!(code.verdicts(), [Verdict::Trap]);
        // A function with something undecodable in it (0x06 is no instruction of this mode).
        let code = Code::one(&[&[0x06], MOV_EAX, SYSCALL, CMP, RET]);
        assert_eq!(code.verdicts(), [Verdict::Trap]);
        // The number is out of range, or its bytes run into the candidate.
        let code = Code::default().gap(&[&[0xb8, 0, 0, 1, 0], SYSCALL, RET]);
        assert_eq!(code.verdicts(), [Verdict::Not]);
        let code = Code::default().gap(&[&[0x48, 0x8b, 0x05, 0xf9], SYSCALL, &[0, 0xc3]]);
        assert_eq!(code.verdicts(), [Verdict::Not]);
    }

    #[test]
    fn tells_functions_that_use_registers_beyond_sse() {
        // vzeroupper; movaps %xmm0, %xmm1.
        for (instruction, expected) in [
            (&[0xc5, 0xf8, 0x77][..], true),
            (&[0x0f, 0x28, 0xc8], false),
        ] {
            let code = Code::one(&[instruction, &[0x74, 5], MOV_EAX, SYSCALL, CMP, RET]);
            match code.verdicts()[..] {
                [Verdict::Rewrite(patch)] => assert_eq!(patch.extended, expected),
                ref other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_prefix_is_part_of_the_syscall() {
        let code = Code::one(&[MOV_EAX, &[0x48], SYSCALL, RET]);
        match code.verdicts()[..] {
            [Verdict::Rewrite(patch)] => {
                assert_eq!((patch.syscall, patch.next), (BASE + 5, BASE + 8));
            }
            ref other => panic!("{other:?}"),
        }
    }
}
