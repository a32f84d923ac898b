//! The registers that a function has to keep, with numbers in them around a call.

use core::arch::naked_asm;

/// In the order in which [`call`] reads and writes them.
#[cfg(target_arch = "arm")]
const NAMES: [&str; 8] = ["r8", "r9", "r10", "r11", "r4", "r5", "r6", "r7"];
#[cfg(target_arch = "riscv32")]
const NAMES: [&str; 12] = [
    "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
];

/// What lies in them before a call, and after the last one.
pub(crate) struct Registers([u32; NAMES.len()]);

impl Registers {
    pub(crate) fn new() -> Self {
        Self(core::array::from_fn(number))
    }

    /// Calls the function `kernel` with the pointer `arguments`.
    ///
    /// # Safety
    ///
    /// The function may be called so.
    #[allow(unsafe_code, reason = "no safe code sees its caller's registers")]
    pub(crate) unsafe fn call(&mut self, kernel: *const (), arguments: *const ()) {
        // SAFETY: the caller's.
        unsafe { call(kernel, arguments, &mut self.0) }
    }

    /// A register that some call did not keep.
    pub(crate) fn changed(&self) -> Option<&'static str> {
        let mut registers = NAMES.iter().zip(&self.0).enumerate();
        let changed = registers.find(|(i, (_, found))| **found != number(*i));
        changed.map(|(_, (name, _))| *name)
    }
}

/// Another one in each register, and none that a kernel has by itself.
fn number(i: usize) -> u32 {
    0x5EED_0001 + 0x0101_0100 * i as u32
}

/// Puts `registers` in place, calls `kernel(arguments)`, and takes them back.
#[allow(
    unsafe_code,
    reason = "keeps to the calling convention, whatever the kernel does with registers"
)]
#[unsafe(naked)]
unsafe extern "C" fn call(
    kernel: *const (),
    arguments: *const (),
    registers: &mut [u32; NAMES.len()],
) {
    #[cfg(target_arch = "arm")]
    naked_asm!(
        "
    push {{r4-r7, lr}}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {{r2, r4-r7}}
    mov r3, r0
    mov r0, r1
    ldmia r2!, {{r4-r7}}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    ldmia r2!, {{r4-r7}}
    blx r3
    pop {{r2}}
    adds r2, #16
    stmia r2!, {{r4-r7}}
    subs r2, #32
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    stmia r2!, {{r4-r7}}
    pop {{r4-r7}}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    pop {{r4-r7, pc}}
"
    );
    #[cfg(target_arch = "riscv32")]
    naked_asm!(
        r"
    addi sp, sp, -64
    .irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sw s\i, 4 * \i(sp)
    lw s\i, 4 * \i(a2)
    .endr
    sw ra, 48(sp)
    sw a2, 52(sp)
    mv t0, a0
    mv a0, a1
    jalr t0
    lw a2, 52(sp)
    lw ra, 48(sp)
    .irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sw s\i, 4 * \i(a2)
    lw s\i, 4 * \i(sp)
    .endr
    addi sp, sp, 64
    ret
"
    );
}
