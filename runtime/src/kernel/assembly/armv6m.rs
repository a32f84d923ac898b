//! Layers on Armv6-M, or Armv8-M Baseline.
//!
//! Eight registers can do everything, and a signed load takes its offset from one of them. So the sums
//! lie in high registers, which can be added to; and the input's register points one byte before it,
//! which makes the odd offsets of the signed weights those of the inputs too.
//!
//! # Cost
//!
//! A later layer takes 57 instructions for 16 multiply-adds and about 110 for a block of four outputs;
//! a first layer 34 for 4 and about 80.

use core::arch::naked_asm;

use super::Arguments;

macro_rules! define_macros {
    () => {
        r"
    // One input of a first layer, 65536 r2 + r3, with the two weights in a register.
    .macro two_weights weights, a, b
    sxth r6, \weights
    mov r7, r6
    muls r6, r2, r6
    muls r7, r3, r7
    asrs r7, r7, #16
    add \a, r6
    add \a, r7
    asrs r6, \weights, #16
    mov r7, r6
    muls r6, r2, r6
    muls r7, r3, r7
    asrs r7, r7, #16
    add \b, r6
    add \b, r7
    .endm

    // One input of a later layer, at \x from r1, with the weights at offsets from r0: registers
    // for the signed ones, numbers for the others; r8 to r11 the sums.
    .macro one_input x, a, b, c, d
    ldrsh r2, [r1, \x]
    ldrsb r3, [r0, \a]
    muls r3, r2, r3
    add r8, r3
    ldrb r3, [r0, #\b]
    muls r3, r2, r3
    add r9, r3
    ldrsb r3, [r0, \c]
    muls r3, r2, r3
    add r10, r3
    ldrb r3, [r0, #\d]
    muls r3, r2, r3
    add r11, r3
    .endm

    // A sum of a first layer, to r2.
    .macro take sum, output
    mov r2, \sum
    .endm

    // A sum of a later layer times its multiplier, to r2.
    .macro multiply sum, output
    mov r2, \sum
    ldrh r3, [r0, #2 * \output]
    uxth r4, r2
    asrs r2, r2, #16
    muls r2, r3, r2
    muls r4, r3, r4
    lsrs r4, r4, #16
    adds r2, r2, r4
    .endm

    // tanh of r2: r5 the shift, r6 the table, r7 where the results go.
    .macro tanh output, limit, go_on
    lsls r2, r5
    asrs r4, r2, #23
    adds r4, #1
    cmp r4, #1
    bhi \limit\()f
    \go_on:
    asrs r4, r2, #15
    lsls r4, r4, #2
    ldr r3, [r6, r4]
    sxth r2, r2
    sxth r4, r3
    muls r2, r4, r2
    adds r2, r2, r3
    asrs r2, r2, #16
    strh r2, [r7, #2 * \output]
    .endm

    // Brings r2 to the table's end that is nearer.
    .macro limit_tanh limit, go_on
    \limit:
    asrs r2, r2, #31
    movs r4, #1
    lsls r4, r4, #23
    subs r4, #1
    eors r2, r4
    b \go_on\()b
    .endm

    // elu of r2: r1 the exponent and 5, else as for tanh.
    .macro elu output, above, limit, go_on, store
    lsls r2, r5
    bpl \above\()f
    asrs r4, r2, #23
    adds r4, #1
    bne \limit\()f
    \go_on:
    asrs r4, r2, #15
    lsls r4, r4, #2
    ldr r3, [r6, r4]
    sxth r2, r2
    sxth r4, r3
    muls r2, r4, r2
    adds r2, r2, r3
    asrs r2, r2, #11
    asrs r2, r1
    \store:
    strh r2, [r7, #2 * \output]
    .endm

    // Brings r2 to the table's end, or takes it as it is where it is not below 0.
    .macro limit_elu above, limit, go_on, store
    \limit:
    movs r2, #1
    lsls r2, r2, #23
    rsbs r2, r2, #0
    b \go_on\()b
    \above:
    asrs r2, r1
    asrs r4, r2, #15
    beq \store\()b
    movs r2, #1
    lsls r2, r2, #15
    subs r2, #1
    b \store\()b
    .endm

    // Takes the arguments apart: r0 the blocks, r2 the input, r12 its end. On the stack: the input,
    // the results and their end, the table, the shift, the exponent and 5, and the address of what
    // follows the sums: 60 is tanh, 70 elu, 80 neither. The input and its end are moved back.
    .macro take_arguments back
    push {{r4-r7, lr}}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {{r4-r7}}
    ldmia r0!, {{r1-r7}}
    subs r2, #\back
    subs r3, #\back
    mov r12, r3
    mov lr, r1
    ldr r1, [r0]
    adds r1, #5
    ldr r3, [r0, #4]
    mov r0, lr
    cmp r3, #1
    adr r3, 60f
    blo 1f
    adr r3, 70f
    beq 1f
    adr r3, 80f
    1:
    push {{r1, r3}}
    push {{r2, r4-r7}}
    .endm

    // What follows the sums, which `sum` brings to r2.
    .macro finish_block sum
    ldr r5, [sp, #16]
    ldr r6, [sp, #12]
    ldr r7, [sp, #4]
    ldr r2, [sp, #24]
    mov pc, r2

    .p2align 2
    60:
    \sum r8, 0
    tanh 0, 61, 62
    \sum r9, 1
    tanh 1, 63, 64
    \sum r10, 2
    tanh 2, 65, 66
    \sum r11, 3
    tanh 3, 67, 68
    adds r7, #8
    b 90f
    limit_tanh 61, 62
    limit_tanh 63, 64
    limit_tanh 65, 66
    limit_tanh 67, 68

    .p2align 2
    70:
    ldr r1, [sp, #20]
    \sum r8, 0
    elu 0, 71, 72, 73, 74
    \sum r9, 1
    elu 1, 75, 76, 77, 78
    \sum r10, 2
    elu 2, 81, 82, 83, 84
    \sum r11, 3
    elu 3, 85, 86, 87, 88
    adds r7, #8
    b 90f
    limit_elu 71, 72, 73, 74
    limit_elu 75, 76, 77, 78
    limit_elu 81, 82, 83, 84
    limit_elu 85, 86, 87, 88

    .p2align 2
    80:
    \sum r8, 0
    str r2, [r7]
    \sum r9, 1
    str r2, [r7, #4]
    \sum r10, 2
    str r2, [r7, #8]
    \sum r11, 3
    str r2, [r7, #12]
    adds r7, #16
    90:
    .endm

    // The next block, at 2, or the end.
    .macro go_on_or_return
    str r7, [sp, #4]
    ldr r2, [sp, #8]
    cmp r7, r2
    beq 91f
    b 2b
    91:
    add sp, #28
    pop {{r4-r7}}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    pop {{r4-r7, pc}}
    .endm
"
    };
}

macro_rules! forget_macros {
    () => {
        "
    .purgem two_weights
    .purgem one_input
    .purgem take
    .purgem multiply
    .purgem tanh
    .purgem limit_tanh
    .purgem elu
    .purgem limit_elu
    .purgem take_arguments
    .purgem finish_block
    .purgem go_on_or_return
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
    take_arguments 0

    2:
    ldr r1, [sp]
    ldmia r0!, {{r2-r5}}
    mov r8, r2
    mov r9, r3
    mov r10, r4
    mov r11, r5
    cmp r1, r12
    beq 4f
    3:
    ldmia r1!, {{r2}}
    uxth r3, r2
    asrs r2, r2, #16
    ldmia r0!, {{r4, r5}}
    two_weights r4, r8, r9
    two_weights r5, r10, r11
    cmp r1, r12
    bne 3b
    4:
    finish_block take
    go_on_or_return
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
    take_arguments 1

    // lr: less 128 times the inputs' sum, which the sums of unsigned weights have too much.
    movs r3, #0
    movs r4, #1
    movs r5, #3
    3:
    ldrsh r6, [r2, r4]
    ldrsh r7, [r2, r5]
    adds r3, r3, r6
    adds r3, r3, r7
    adds r2, #4
    cmp r2, r12
    bne 3b
    lsls r3, r3, #7
    rsbs r3, r3, #0
    mov lr, r3

    2:
    ldr r1, [sp]
    ldmia r0!, {{r2-r5}}
    mov r8, r2
    add r3, lr
    mov r9, r3
    mov r10, r4
    add r5, lr
    mov r11, r5
    movs r4, #1
    movs r5, #3
    movs r6, #5
    movs r7, #7
    4:
    one_input r4, r4, 0, r6, 4
    one_input r5, r5, 2, r7, 6
    adds r0, #8
    one_input r6, r4, 0, r6, 4
    one_input r7, r5, 2, r7, 6
    adds r0, #8
    adds r1, #8
    cmp r1, r12
    bne 4b
    finish_block multiply
    adds r0, #8
    go_on_or_return
",
        forget_macros!(),
    )
}
