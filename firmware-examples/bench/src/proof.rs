//! Shows that the counter counts exactly: work that takes known numbers of instructions.
#![allow(
    unsafe_code,
    reason = "only assembly has a known number of instructions"
)]

use core::arch::asm;
use core::fmt::{self, Write};

/// Markers and instructions in one block, so that nothing can come in between.
#[cfg(target_arch = "arm")]
macro_rules! counted {
    ($($line:literal)*, $($operands:tt)*) => {
        asm!(
            "push {{r0}}", "pop {{r0}}", "mov r10, r10",
            $($line,)*
            "mov r11, r11",
            $($operands)*
        )
    };
}
#[cfg(target_arch = "riscv32")]
macro_rules! counted {
    ($($line:literal)*, $($operands:tt)*) => {
        asm!(
            "sw a0, -4(sp)", "slti x0, x0, 0x701",
            $($line,)*
            "slti x0, x0, 0x702",
            $($operands)*
        )
    };
}

/// Counts 1003 instructions; 2,000,000; 320 with 64 loads and 64 stores; 4 with one each and 256
/// bytes of stack; 1.
pub(crate) fn prove(console: &mut impl Write) -> fmt::Result {
    console.write_str("bracket block\n")?;
    block();
    console.write_str("bracket loop\n")?;
    repeat();
    console.write_str("bracket copies\n")?;
    copy(&mut [0; 64]);
    console.write_str("bracket frame\n")?;
    frame();
    console.write_str("bracket edge\n")?;
    edge();
    Ok(())
}

fn block() {
    // SAFETY: changes the register that it names alone.
    unsafe {
        #[cfg(target_arch = "arm")]
        counted!("nop" "nop" "nop" "1:" "subs {n}, {n}, #1" "bne 1b", n = inout(reg) 500 => _);
        #[cfg(target_arch = "riscv32")]
        counted!("nop" "nop" "nop" "1:" "addi {n}, {n}, -1" "bnez {n}, 1b", n = inout(reg) 500 => _);
    }
}

fn repeat() {
    // SAFETY: changes the register that it names alone.
    unsafe {
        #[cfg(target_arch = "arm")]
        counted!("1:" "subs {n}, {n}, #1" "bne 1b", n = inout(reg) 1_000_000 => _);
        #[cfg(target_arch = "riscv32")]
        counted!("1:" "addi {n}, {n}, -1" "bnez {n}, 1b", n = inout(reg) 1_000_000 => _);
    }
}

fn copy(words: &mut [u32; 64]) {
    // SAFETY: writes to each word what is in it.
    unsafe {
        #[cfg(target_arch = "arm")]
        counted!(
            "1:" "ldr {word}, [{at}]" "str {word}, [{at}]"
            "adds {at}, {at}, #4" "subs {n}, {n}, #1" "bne 1b",
            at = inout(reg) words.as_mut_ptr() => _, n = inout(reg) words.len() => _,
            word = out(reg) _
        );
        #[cfg(target_arch = "riscv32")]
        counted!(
            "1:" "lw {word}, 0({at})" "sw {word}, 0({at})"
            "addi {at}, {at}, 4" "addi {n}, {n}, -1" "bnez {n}, 1b",
            at = inout(reg) words.as_mut_ptr() => _, n = inout(reg) words.len() => _,
            word = out(reg) _
        );
    }
}

// On RISC-V the load has the code of Arm's begin marker.
fn frame() {
    // SAFETY: the memory is below the stack, which is as before at the end.
    unsafe {
        #[cfg(target_arch = "arm")]
        counted!(
            "sub sp, #256" "str {x}, [sp]" "ldr {x}, [sp, #20]" "add sp, #256",
            x = inout(reg) 0 => _
        );
        #[cfg(target_arch = "riscv32")]
        counted!(
            "addi sp, sp, -256" "sw a3, 0(sp)" "c.lwsp a3, 20(sp)" "addi sp, sp, 256",
            out("a3") _
        );
    }
}

fn edge() {
    // SAFETY: changes nothing.
    unsafe {
        #[cfg(target_arch = "arm")]
        edge_of_page();
        #[cfg(target_arch = "riscv32")]
        counted!("nop",);
    }
}

// The begin marker is the last whole instruction of a page of QEMU's.
#[cfg(target_arch = "arm")]
core::arch::global_asm!(
    ".pushsection .text.edge_of_page, \"ax\"",
    ".balign 1024",
    ".space 1016",
    ".thumb_func",
    "edge_of_page:",
    "push {{r0}}",
    "pop {{r0}}",
    "mov r10, r10",
    "dmb",
    "mov r11, r11",
    "bx lr",
    ".popsection",
);

#[cfg(target_arch = "arm")]
unsafe extern "C" {
    fn edge_of_page();
}
