//! Layers on Armv7-M, or Armv8-M Mainline, without the DSP extension.
//!
//! SMULL by a 16-bit number in the upper half of a register leaves in its upper word the product
//! shifted down by 16.
//!
//! # Cost
//!
//! A later layer takes 38 instructions for 16 multiply-adds and about 60 for a block of four outputs;
//! a first layer 16 for 4 and about 45.

use core::arch::naked_asm;

use super::Arguments;

macro_rules! define_macros {
    () => {
        r"
    // One input of a later layer, r1, with the weights at offsets from r0; r4 to r7 the sums.
    .macro one_input a, b, c, d, writeback
    ldrb r9, [r0, #\b]\writeback
    ldrsb r8, [r0, #\a]
    ldrb r11, [r0, #\d]
    ldrsb r10, [r0, #\c]
    ldrsh r12, [r1], #2
    mla r5, r9, r12, r5
    mla r4, r8, r12, r4
    mla r7, r11, r12, r7
    mla r6, r10, r12, r6
    .endm

    // tanh of one number, in the upper half: r8 the shift, r9 the table.
    .macro tanh p
    lsl \p, \p, r8
    ssat \p, #24, \p
    asr r10, \p, #15
    ldr r10, [r9, r10, lsl #2]
    sxth \p, \p
    sxth r11, r10
    mla \p, \p, r11, r10
    .endm

    // elu of one number: r8 the shift, r9 the table, r12 the exponent and 5. The part above 0 and
    // the table's are added, since one of them is 0.
    .macro elu p
    lsl \p, \p, r8
    usat r10, #31, \p
    sub r11, \p, r10
    ssat r11, #24, r11
    asr \p, r11, #15
    ldr \p, [r9, \p, lsl #2]
    sxth r11, r11
    sxth r1, \p
    mla r11, r11, r1, \p
    add \p, r10, r11, asr #11
    asr \p, \p, r12
    ssat \p, #16, \p
    .endm

    // Four 16-bit numbers of r9 and r11 in the upper halves of r8 to r11.
    .macro part_halves
    lsl r8, r9, #16
    bfc r9, #0, #16
    lsl r10, r11, #16
    bfc r11, #0, #16
    .endm

    // Takes the arguments apart: r0 the blocks, r1 the input, r2 its end, r3 the results. On the
    // stack: the input, the table, the shift, the exponent and 5, the results' end, and the address
    // of what follows the sums: 6 is tanh, 7 elu, 8 neither.
    .macro take_arguments
    push {{r4-r11, lr}}
    ldm r0, {{r0-r8}}
    adds r7, #5
    adr.w r9, 6f
    cmp r8, #1
    it eq
    adreq.w r9, 7f
    it hi
    adrhi.w r9, 8f
    orr r9, r9, #1
    mov r8, r4
    push {{r1, r5-r9}}
    .endm

    // What follows the sums; then the next block, at 2, or the end.
    .macro finish_block
    ldrd r9, r8, [sp, #4]
    ldr pc, [sp, #20]

    6:
    tanh r4
    tanh r5
    tanh r6
    tanh r7
    lsr r4, r4, #16
    bfi r5, r4, #0, #16
    lsr r6, r6, #16
    bfi r7, r6, #0, #16
    strd r5, r7, [r3], #8
    b 9f

    7:
    ldr r12, [sp, #12]
    elu r4
    elu r5
    elu r6
    elu r7
    bfi r4, r5, #16, #16
    bfi r6, r7, #16, #16
    strd r4, r6, [r3], #8
    b 9f

    8:
    stmia r3!, {{r4-r7}}

    9:
    ldr r8, [sp, #16]
    cmp r3, r8
    bne.w 2b
    add sp, #24
    pop {{r4-r11, pc}}
    .endm
"
    };
}

macro_rules! forget_macros {
    () => {
        "
    .purgem one_input
    .purgem tanh
    .purgem elu
    .purgem part_halves
    .purgem take_arguments
    .purgem finish_block
"
    };
}

/// A layer that reads fixed-point numbers of 32 bits.
///
/// # Safety
///
/// The arguments' pointers bound a first layer's input, its blocks and its results.
#[allow(
    unsafe_code,
    reason = "keeps to the calling convention, and to the memory that the caller vouches for"
)]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn first_layer(arguments: &Arguments) {
    naked_asm!(
        define_macros!(),
        "
    take_arguments

    2:
    ldr r1, [sp]
    ldmia r0!, {{r4-r7}}
    cmp r1, r2
    beq 4f
    3:
    ldr r12, [r1], #4
    ldrd r9, r11, [r0], #8
    part_halves
    smull lr, r8, r8, r12
    smull lr, r9, r9, r12
    smull lr, r10, r10, r12
    smull lr, r11, r11, r12
    add r4, r4, r8
    add r5, r5, r9
    add r6, r6, r10
    add r7, r7, r11
    cmp r1, r2
    bne 3b
    4:
    finish_block
",
        forget_macros!(),
    )
}

/// A layer that reads the activations of the one before it.
///
/// # Safety
///
/// As [`first_layer`], for a later layer with at least one input.
#[allow(
    unsafe_code,
    reason = "keeps to the calling convention, and to the memory that the caller vouches for"
)]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn next_layer(arguments: &Arguments) {
    naked_asm!(
        define_macros!(),
        "
    take_arguments

    // lr: 128 times the inputs' sum, too much in the sums of unsigned weights.
    mov lr, #0
    3:
    ldrsh r4, [r1], #2
    ldrsh r5, [r1], #2
    add lr, r4
    add lr, r5
    cmp r1, r2
    bne 3b
    lsl lr, lr, #7

    2:
    ldr r1, [sp]
    // The biases are as long as four inputs' weights: r0 is one such group behind.
    ldm r0, {{r4-r7}}
    sub r5, r5, lr
    sub r7, r7, lr
    4:
    one_input 1, 16, 5, 4, !
    one_input 3, 2, 7, 6
    one_input 9, 8, 13, 12
    one_input 11, 10, 15, 14
    cmp r1, r2
    bne 4b

    ldrd r9, r11, [r0, #16]
    adds r0, #24
    part_halves
    smull r12, r4, r4, r8
    smull r12, r5, r5, r9
    smull r12, r6, r6, r10
    smull r12, r7, r7, r11
    finish_block
",
        forget_macros!(),
    )
}
