//! Floating-point state beyond the xmm registers.
//!
//! The runtime is compiled for the baseline CPU and calls no libc function with vector variants on the call path, so what the
//! crossing does not save (upper halves of ymm and zmm, mask registers) stays as it is until another task runs. Only for sites
//! that could rely on it (those outside libc: inlined `syscall` in vectorised code) is it saved and restored around a call.
//! MXCSR and the x87 control word are per thread in any case, and change hands with every task switch.

use std::alloc::Layout;
use std::arch::x86_64::{__cpuid_count, _mm_getcsr, _mm_setcsr};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// MXCSR and x87 control word as a process starts with them.
pub(crate) const INITIAL_FP: (u32, u16) = (0x1f80, 0x037f);

static SIZE: AtomicUsize = AtomicUsize::new(0);

/// The bytes of an XSAVE area for the features this process has enabled.
pub(crate) fn size() -> usize {
    match SIZE.load(Ordering::Relaxed) {
        0 => {
            // CPUID leaf 0Dh, subleaf 0: EBX is the size for the features enabled in XCR0.
            #[allow(unused_unsafe)]
            // SAFETY: every CPU with the syscall instruction has cpuid; without XSAVE the leaf reads as zero.
            let bytes = unsafe { __cpuid_count(0xd, 0) }.ebx as usize;
            let bytes = bytes.max(576);
            SIZE.store(bytes, Ordering::Relaxed);
            bytes
        }
        bytes => bytes,
    }
}

/// The features this process has enabled (XCR0).
pub(crate) fn features() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: XGETBV exists where XSAVE does, and without XSAVE nobody asks.
    unsafe { std::arch::asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nomem, nostack)) };
    u64::from(low) | u64::from(high) << 32
}

fn layout() -> Layout {
    Layout::from_size_align(size(), 64).expect("an XSAVE area's layout")
}

/// Allocates an area; zeroed, as XRSTOR wants its header.
pub(crate) fn allocate() -> NonNull<u8> {
    // SAFETY: the layout is not empty.
    let area = unsafe { std::alloc::alloc_zeroed(layout()) };
    NonNull::new(area).unwrap_or_else(|| std::alloc::handle_alloc_error(layout()))
}

/// Frees what [`allocate`] gave.
pub(crate) fn free(area: NonNull<u8>) {
    // SAFETY: it came from `allocate`.
    unsafe { std::alloc::dealloc(area.as_ptr(), layout()) };
}

/// Saves all state the CPU has enabled.
///
/// # Safety
/// `area` is from [`allocate`].
#[inline]
pub(crate) unsafe fn save(area: NonNull<u8>) {
    // SAFETY: the area is large enough and aligned.
    unsafe {
        std::arch::asm!("xsave64 [{}]", in(reg) area.as_ptr(), in("eax") u32::MAX, in("edx") u32::MAX, options(nostack));
    }
}

/// Restores what [`save`] saved. All registers it loads are dead to compiled code here (the crossing loads them next).
///
/// # Safety
/// `area` holds a saved state.
#[inline]
pub(crate) unsafe fn restore(area: NonNull<u8>) {
    // SAFETY: the clobbers say what changes; MXCSR and the x87 control word become the task's, as they must.
    unsafe {
        std::arch::asm!(
            "xrstor64 [{}]", in(reg) area.as_ptr(), in("eax") u32::MAX, in("edx") u32::MAX,
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
    unsafe { std::arch::asm!("fnstcw word ptr [{}]", in(reg) &mut x87, options(nostack, preserves_flags)) };
    #[allow(deprecated)]
    // SAFETY: SSE is part of x86-64.
    let mxcsr = unsafe { _mm_getcsr() };
    (mxcsr, x87)
}

/// Sets MXCSR and the x87 control word.
#[inline]
pub(crate) fn set_control((mxcsr, x87): (u32, u16)) {
    #[allow(deprecated)]
    // SAFETY: both values were read from the registers; the runtime does no floating-point arithmetic in between.
    unsafe {
        _mm_setcsr(mxcsr);
        std::arch::asm!("fldcw word ptr [{}]", in(reg) &x87, options(nostack, preserves_flags, readonly));
    }
}
