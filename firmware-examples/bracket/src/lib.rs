#![no_std]
//! Brackets code between two markers, for the counter of `tests/counter`.
//!
//! Outside of an emulator with the counter, the markers do nothing.
#![deny(missing_docs)]

use core::arch::asm;

/// Runs `f` between the markers, as a call: its instructions, the call's and the return's are
/// counted, its stack is what it takes below the caller.
// A function of its own, so that the compiler has nothing to move in between the markers.
#[inline(never)]
pub fn bracket<R>(f: impl FnOnce() -> R) -> R {
    begin();
    let result = call(f);
    end();
    result
}

/// Has what `f` needs on the stack taken after the begin marker.
#[inline(never)]
fn call<R>(f: impl FnOnce() -> R) -> R {
    f()
}

#[allow(unsafe_code, reason = "no other code gives out a marker")]
#[inline(always)]
fn begin() {
    // SAFETY: on Arm the stack is as before; on RISC-V, which has no red zone, the word below it is
    // free.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!("push {{r0}}", "pop {{r0}}", "mov r10, r10");
        #[cfg(target_arch = "riscv32")]
        asm!("sw a0, -4(sp)", "slti x0, x0, 0x701");
    }
}

#[allow(unsafe_code, reason = "no other code gives out a marker")]
#[inline(always)]
fn end() {
    // SAFETY: the instruction changes nothing.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!("mov r11, r11");
        #[cfg(target_arch = "riscv32")]
        asm!("slti x0, x0, 0x702");
    }
}
