//! Where every stub is, for lookups from signal handlers and from the switch of tasks.
//!
//! Readers take no lock, allocate nothing, and see a block only when all of it is there. Blocks
//! stay in the list for ever; that of an object which is gone is marked free and serves another.

use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering};

use super::area::Region;
use super::stub::SLOT;

/// The stubs of one executable segment: slot 0 has the addresses of the entries, the others are
/// stubs, in the order of their sites.
struct Block {
    region: Region,
    state: AtomicU8,
    /// The code whose sites lead here.
    text_start: AtomicUsize,
    text_end: AtomicUsize,
    /// The number of stubs.
    stubs: AtomicUsize,
    /// The block that was published before.
    next: *const Block,
}

/// No code leads here.
const FREE: u8 = 0;
/// Being filled by whoever made it so.
const TAKEN: u8 = 1;
/// In use.
const LIVE: u8 = 2;

static BLOCKS: AtomicPtr<Block> = AtomicPtr::new(ptr::null_mut());

fn blocks() -> impl Iterator<Item = &'static Block> {
    let mut at = BLOCKS.load(Ordering::Acquire).cast_const();
    std::iter::from_fn(move || {
        // SAFETY: blocks are leaked boxes, complete before they are published, never freed.
        let block = unsafe { at.as_ref() }?;
        at = block.next;
        Some(block)
    })
}

fn live() -> impl Iterator<Item = &'static Block> {
    blocks().filter(|block| block.state.load(Ordering::Acquire) == LIVE)
}

impl Block {
    fn slots(&self) -> Range<usize> {
        let first = self.region.start + SLOT;
        first..first + self.stubs.load(Ordering::Relaxed) * SLOT
    }

    fn text(&self) -> Range<usize> {
        self.text_start.load(Ordering::Relaxed)..self.text_end.load(Ordering::Relaxed)
    }

    fn overlaps(&self, range: &Range<usize>) -> bool {
        let text = self.text();
        text.start < range.end && range.start < text.end
    }
}

/// The address after the original `syscall`, and the stub's `after`.
///
/// # Safety
/// `slot` is a stub of a live block.
unsafe fn site(slot: usize) -> (usize, usize) {
    // SAFETY: by this function's contract the slot is there, and it is only written before its
    // block is live.
    unsafe {
        let next = *(slot as *const usize);
        let after = *((slot + size_of::<usize>()) as *const u8);
        (next, slot + usize::from(after))
    }
}

/// The stub's address at which to go on for a program that is to go on after the `syscall` before
/// `next`.
pub fn continuation(next: usize) -> Option<usize> {
    let block = live().find(|block| {
        let text = block.text();
        text.start < next && next <= text.end
    })?;
    let slots = block.slots();
    let (mut low, mut high) = (0, slots.len() / SLOT);
    while low < high {
        let middle = low + (high - low) / 2;
        // SAFETY: a slot of a live block, by the bounds of the search.
        let (at, after) = unsafe { site(slots.start + middle * SLOT) };
        match at.cmp(&next) {
            std::cmp::Ordering::Equal => return Some(after),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

/// The original address that a stub's `after` stands for.
pub fn original(after: usize) -> Option<usize> {
    live().find(|block| block.slots().contains(&after))?;
    // SAFETY: the slot of an address in a live block.
    let (next, label) = unsafe { site(after & !(SLOT - 1)) };
    (label == after).then_some(next)
}

/// Whether an address is in any stub.
#[cfg(test)]
pub fn in_stubs(address: usize) -> bool {
    live().any(|block| block.slots().contains(&address))
}

/// How many stubs code in `range` leads to.
pub fn stubs_of(range: &Range<usize>) -> usize {
    live()
        .filter(|block| block.overlaps(range))
        .map(|block| block.slots().len() / SLOT)
        .sum()
}

/// Forgets the sites of code that is gone and frees their stubs: of all blocks whose code `gone`
/// tells.
pub fn forget(gone: impl Fn(&Range<usize>) -> bool) {
    for block in live().filter(|block| gone(&block.text())) {
        block.state.store(FREE, Ordering::Release);
    }
}

/// Memory for the stubs of some code, which nobody else sees yet.
pub struct Draft {
    block: DraftBlock,
    text: Range<usize>,
}

enum DraftBlock {
    New(Region),
    Reused(&'static Block),
}

impl Draft {
    /// Memory for `stubs` stubs for `text`, within reach of all of its object: that of code that is
    /// gone, or new.
    pub fn new(text: Range<usize>, object: &Range<usize>, stubs: usize) -> Option<Draft> {
        let len = (stubs + 1) * SLOT;
        let take = |block: &Block| {
            block
                .state
                .compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        };
        let reused = blocks()
            .find(|block| block.region.len >= len && block.region.reaches(object) && take(block));
        let block = match reused {
            Some(block) if block.region.open() => DraftBlock::Reused(block),
            Some(_) => return None,
            None => DraftBlock::New(Region::near(object, len)?),
        };
        Some(Draft { block, text })
    }

    fn region(&self) -> &Region {
        match &self.block {
            DraftBlock::New(region) => region,
            DraftBlock::Reused(block) => &block.region,
        }
    }

    /// The address of slot `index`.
    pub fn slot(&self, index: usize) -> usize {
        self.region().start + index * SLOT
    }

    /// Writes slot `index`.
    pub fn write(&mut self, index: usize, bytes: &[u8; SLOT]) {
        assert!((index + 1) * SLOT <= self.region().len);
        let at = self.slot(index) as *mut u8;
        // SAFETY: inside the region, which is writable and which no code runs in yet.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), at, SLOT) };
    }

    /// Makes the stubs executable; on failure they are gone.
    pub fn seal(self) -> Option<Sealed> {
        if self.region().seal() {
            Some(Sealed(self))
        } else {
            self.discard();
            None
        }
    }

    /// Gives the memory back.
    pub fn discard(self) {
        match self.block {
            DraftBlock::New(region) => region.unmap(),
            DraftBlock::Reused(block) => block.state.store(FREE, Ordering::Release),
        }
    }
}

/// Stubs that can run, once code leads to them.
pub struct Sealed(Draft);

impl Sealed {
    /// Makes the first `stubs` of them known, before the code that leads to them can run.
    pub fn publish(self, stubs: usize) {
        let Draft { block, text } = self.0;
        match block {
            DraftBlock::Reused(block) => {
                block.text_start.store(text.start, Ordering::Relaxed);
                block.text_end.store(text.end, Ordering::Relaxed);
                block.stubs.store(stubs, Ordering::Relaxed);
                block.state.store(LIVE, Ordering::Release);
            }
            DraftBlock::New(region) => {
                let block = Box::into_raw(Box::new(Block {
                    region,
                    state: AtomicU8::new(LIVE),
                    text_start: AtomicUsize::new(text.start),
                    text_end: AtomicUsize::new(text.end),
                    stubs: AtomicUsize::new(stubs),
                    next: ptr::null(),
                }));
                let mut head = BLOCKS.load(Ordering::Relaxed);
                loop {
                    // SAFETY: the block is not published yet, so this is the only reference to it.
                    unsafe { (*block).next = head };
                    match BLOCKS.compare_exchange_weak(
                        head,
                        block,
                        Ordering::Release,
                        Ordering::Relaxed,
                    ) {
                        Ok(_) => break,
                        Err(now) => head = now,
                    }
                }
            }
        }
    }

    /// Gives the memory back, as no code leads here after all.
    pub fn discard(self) {
        self.0.discard();
    }
}
