//! Floating-point state beyond the xmm registers, and the GS base.
//!
//! The runtime is compiled for the baseline CPU and calls no libc function with vector variants on the call path, so what the
//! crossing does not save (upper halves of ymm and zmm, mask registers) stays as it is until another task runs. Only for sites
//! that could rely on it (those outside libc: inlined `syscall` in vectorised code) is it saved and restored around a call.
//! MXCSR and the x87 control word are per thread in any case, and change hands with every task switch. So does the GS base, where a program can set it
//! without a call (`wrgsbase`): Firefox keeps the memory of its WebAssembly there.
//!
//! The memory for it is every task's from its beginning, so that none is asked for where nothing can fail any more. It is zeroed pages until a task
//! needs it, which most never do.

use crate::reserve::Reserve;
use crate::task::MAX_TASKS;
use std::arch::x86_64::__cpuid_count;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// MXCSR and x87 control word as a process starts with them.
pub(crate) const INITIAL_FP: (u32, u16) = (0x1f80, 0x037f);

/// AMX's tiles, 8 KiB a task, are left out until the program asks the kernel to be allowed to use them.
const AMX: u64 = 1 << 17 | 1 << 18;

/// The GS base can be read and set without a call.
static GS: AtomicBool = AtomicBool::new(false);

static SIZE: AtomicUsize = AtomicUsize::new(0);
static FEATURES: AtomicU64 = AtomicU64::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

/// The areas of this many tasks, in a row of their slots, are one piece of address space.
const IN_A_PIECE: usize = 1024;
static AREAS: [Reserve; MAX_TASKS / IN_A_PIECE] =
    [const { Reserve::none() }; MAX_TASKS / IN_A_PIECE];

/// Finds what state the CPU and kernel have enabled, and how much memory it takes. At conversion.
pub(crate) fn measure() {
    const ARCH_GET_XCOMP_PERM: i32 = 0x1022;
    let mut permitted = 0u64;
    // SAFETY: fills a word; fails before Linux 5.16, when there was no AMX either.
    let _ = unsafe { crate::sys!(SYS_arch_prctl, ARCH_GET_XCOMP_PERM, &mut permitted) };
    let features = enabled() & (!AMX | permitted);
    // CPUID leaf 0Dh: subleaf i has the size (EAX) and offset (EBX) of component i in the standard format.
    let end = |i: u32| {
        let component = cpuid(0xd, i);
        (component.ebx + component.eax) as usize
    };
    let size = (2..63)
        .filter(|i| features >> i & 1 != 0)
        .map(end)
        .fold(576, usize::max);
    SIZE.store(size, Ordering::Relaxed);
    LARGEST.store(
        (cpuid(0xd, 0).ebx as usize).max(size) + 4,
        Ordering::Relaxed,
    );
    FEATURES.store(features, Ordering::Relaxed);
    GS.store(crate::sys::has_fsgsbase(), Ordering::Relaxed);
}

fn cpuid(leaf: u32, sub: u32) -> std::arch::x86_64::CpuidResult {
    #[allow(unused_unsafe)]
    // SAFETY: every CPU with the syscall instruction has cpuid.
    unsafe {
        __cpuid_count(leaf, sub)
    }
}

/// XCR0: the features that the kernel has enabled.
fn enabled() -> u64 {
    // CPUID leaf 1, ECX bit 27: OSXSAVE.
    if cpuid(1, 0).ecx >> 27 & 1 == 0 {
        return 3;
    }
    let (low, high): (u32, u32);
    // SAFETY: XGETBV is there, as OSXSAVE says.
    unsafe {
        std::arch::asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nomem, nostack))
    };
    u64::from(low) | u64::from(high) << 32
}

/// The bytes of an area.
pub(crate) fn size() -> usize {
    SIZE.load(Ordering::Relaxed)
}

/// The most bytes that the state in a kernel signal frame takes: everything enabled, and the magic number at its end.
pub(crate) fn largest() -> usize {
    LARGEST.load(Ordering::Relaxed)
}

/// The features that are saved.
pub(crate) fn features() -> u64 {
    FEATURES.load(Ordering::Relaxed)
}

#[allow(clippy::cast_possible_truncation)]
fn mask() -> (u32, u32) {
    let features = features();
    (features as u32, (features >> 32) as u32)
}

/// From one area to the next: they are aligned as XSAVE wants it.
fn stride() -> usize {
    size().next_multiple_of(64)
}

/// Whether there is an area for the task in a slot, from now on. Not to be called by two threads at once.
pub(crate) fn has_area(slot: usize) -> bool {
    let piece = &AREAS[slot / IN_A_PIECE];
    // A forked child may be allowed more than its parent was, and has its parent's pieces.
    let len = IN_A_PIECE * largest().next_multiple_of(64);
    let advice = [libc::MADV_NOHUGEPAGE, libc::MADV_WIPEONFORK];
    piece.make(len, &advice).is_ok() && piece.has((slot % IN_A_PIECE + 1) * stride())
}

/// The area of the task in a slot for which [`has_area`] was true. It is zeroed, as XRSTOR wants the header, or was an earlier task's.
#[inline]
pub(crate) fn area(slot: usize) -> NonNull<u8> {
    let piece = AREAS[slot / IN_A_PIECE].start();
    let at = (piece + slot % IN_A_PIECE * stride()) as *mut u8;
    debug_assert!(piece != 0);
    // SAFETY: the piece is mapped, so it does not begin at 0.
    unsafe { NonNull::new_unchecked(at) }
}

/// Gives the memory of all areas back. But for the first slot's there is no task that uses one.
pub(crate) fn clear_areas() {
    AREAS[1..].iter().for_each(Reserve::clear);
}

/// Saves all state the CPU has enabled.
///
/// # Safety
/// `area` is from [`area`].
#[inline]
pub(crate) unsafe fn save(area: NonNull<u8>) {
    let (low, high) = mask();
    // SAFETY: the area is large enough and aligned.
    unsafe {
        std::arch::asm!("xsave64 [{}]", in(reg) area.as_ptr(), in("eax") low, in("edx") high, options(nostack));
    }
}

/// Restores what [`save`] saved. All registers it loads are dead to compiled code here (the crossing loads them next).
///
/// # Safety
/// `area` holds a saved state.
#[inline]
pub(crate) unsafe fn restore(area: NonNull<u8>) {
    let (low, high) = mask();
    // SAFETY: the clobbers say what changes; MXCSR and the x87 control word become the task's, as they must.
    unsafe {
        std::arch::asm!(
            "xrstor64 [{}]", in(reg) area.as_ptr(), in("eax") low, in("edx") high,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _, out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(nostack, readonly)
        );
    }
}

/// MXCSR and the x87 control word as they are now.
#[inline]
pub(crate) fn control() -> (u32, u16) {
    let mut x87: u16 = 0;
    // SAFETY: stores two bytes.
    unsafe {
        std::arch::asm!("fnstcw word ptr [{}]", in(reg) &mut x87, options(nostack, preserves_flags))
    };
    let mut mxcsr = 0u32;
    // SAFETY: stores four bytes.
    unsafe {
        std::arch::asm!("stmxcsr dword ptr [{}]", in(reg) &mut mxcsr, options(nostack, preserves_flags))
    };
    (mxcsr, x87)
}

/// The GS base; 0 where a program can only set it by a call, which [`crate::syscalls`] sees.
#[inline]
pub(crate) fn gs() -> u64 {
    let mut base = 0u64;
    if GS.load(Ordering::Relaxed) {
        // SAFETY: the kernel allows the instruction; it reads a register.
        unsafe {
            std::arch::asm!("rdgsbase {}", out(reg) base, options(nomem, nostack, preserves_flags));
        }
    }
    base
}

/// Sets the GS base to what [`gs`] has given.
#[inline]
pub(crate) fn set_gs(base: u64) {
    if GS.load(Ordering::Relaxed) {
        // SAFETY: the kernel allows the instruction; nothing of the runtime's is found by this register.
        unsafe {
            std::arch::asm!("wrgsbase {}", in(reg) base, options(nomem, nostack, preserves_flags));
        }
    }
}

/// Sets MXCSR and the x87 control word.
#[inline]
pub(crate) fn set_control((mxcsr, x87): (u32, u16)) {
    // SAFETY: both values were read from the registers; the runtime does no floating-point arithmetic in between.
    unsafe {
        std::arch::asm!("ldmxcsr dword ptr [{}]", in(reg) &mxcsr, options(nostack, preserves_flags, readonly));
        std::arch::asm!("fldcw word ptr [{}]", in(reg) &x87, options(nostack, preserves_flags, readonly));
    }
}
