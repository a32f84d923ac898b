//! Layers on RISC-V with 32 registers of 32 bits, and multiplication.
//!
//! MULH by a 16-bit number in the upper half of a register gives the product shifted down by 16.
//!
//! # Cost
//!
//! A later layer takes 55 instructions for 16 multiply-adds and about 90 for a block of four outputs;
//! a first layer 18 for 4 and about 75.

use core::arch::naked_asm;

use super::Arguments;

macro_rules! define_macros {
    () => {
        r"
    // Two outputs of a first layer, from the word of their weights and the input t4.
    .macro two_outputs weights, a, b
    slli s0, \weights, 16
    and s1, \weights, s7
    mulh s0, s0, t4
    mulh s1, s1, t4
    add \a, \a, s0
    add \b, \b, s1
    .endm

    // One input of a later layer, at \x from a1, with the weights at offsets from a0; t0 to t3 the
    // sums.
    .macro one_input x, a, b, c, d
    lh t4, \x(a1)
    lb t5, \a(a0)
    lbu t6, \b(a0)
    lb s0, \c(a0)
    lbu s1, \d(a0)
    mul t5, t5, t4
    mul t6, t6, t4
    mul s0, s0, t4
    mul s1, s1, t4
    add t0, t0, t5
    add t1, t1, t6
    add t2, t2, s0
    add t3, t3, s1
    .endm

    // A sum of a later layer times its multiplier, at an offset from a0.
    .macro multiply sum, m
    lh t4, \m(a0)
    slli t4, t4, 16
    mulh \sum, \sum, t4
    .endm

    // The table's value, in the upper half, where \p is t4 above the table's start.
    .macro interpolate p
    srli t4, t4, 15
    slli t4, t4, 2
    add t4, t4, a5
    lw t4, 0(t4)
    slli \p, \p, 16
    srai \p, \p, 16
    and t5, t4, s6
    mul \p, \p, t5
    add \p, \p, t4
    .endm

    // tanh of one number, to \out from a3.
    .macro tanh p, out, limit, go_on
    sll \p, \p, a6
    add t4, \p, s5
    srli t5, t4, 24
    bnez t5, \limit\()f
    \go_on:
    interpolate \p
    srai \p, \p, 16
    sh \p, \out(a3)
    .endm

    // Brings one number to the table's end that is nearer.
    .macro limit_tanh p, limit, go_on
    \limit:
    srai \p, \p, 31
    addi t4, s5, -1
    xor \p, \p, t4
    add t4, \p, s5
    j \go_on\()b
    .endm

    // elu of one number, to \out from a3.
    .macro elu p, out, above, limit, go_on, store
    sll \p, \p, a6
    bgez \p, \above\()f
    add t4, \p, s5
    bltz t4, \limit\()f
    \go_on:
    interpolate \p
    srai \p, \p, 11
    sra \p, \p, a7
    \store:
    sh \p, \out(a3)
    .endm

    // Brings one number to the table's end, or takes it as it is where it is not below 0.
    .macro limit_elu p, above, limit, go_on, store
    \limit:
    neg \p, s5
    li t4, 0
    j \go_on\()b
    \above:
    sra \p, \p, a7
    srli t4, \p, 15
    beqz t4, \store\()b
    srli \p, s6, 1
    j \store\()b
    .endm

    // Takes the arguments apart: a0 the blocks, s3 the input, a2 its end, a3 the results, a4 their
    // end, a5 the table's start, a6 the shift, a7 the exponent and 5, s2 what follows the sums; and
    // constants: s5 the table's length below 0, s6 and s7 the halves of a word.
    .macro take_arguments
    addi sp, sp, -32
    sw s0, 0(sp)
    sw s1, 4(sp)
    sw s2, 8(sp)
    sw s3, 12(sp)
    sw s4, 16(sp)
    sw s5, 20(sp)
    sw s6, 24(sp)
    sw s7, 28(sp)
    lw s3, 4(a0)
    lw a2, 8(a0)
    lw a3, 12(a0)
    lw a4, 16(a0)
    lw a5, 20(a0)
    lw a6, 24(a0)
    lw a7, 28(a0)
    lw s2, 32(a0)
    lw a0, 0(a0)
    addi a5, a5, -1024
    addi a7, a7, 5
    li s5, 0x800000
    li s6, 0xffff
    slli s7, s6, 16
    .endm

    // What follows the sums; then the next block, at 2, or the end.
    .macro finish_block
    bnez s2, 70f
    tanh t0, 0, 61, 62
    tanh t1, 2, 63, 64
    tanh t2, 4, 65, 66
    tanh t3, 6, 67, 68
    addi a3, a3, 8
    bne a3, a4, 2b
    j 90f
    limit_tanh t0, 61, 62
    limit_tanh t1, 63, 64
    limit_tanh t2, 65, 66
    limit_tanh t3, 67, 68

    70:
    addi t4, s2, -1
    bnez t4, 80f
    elu t0, 0, 71, 72, 73, 74
    elu t1, 2, 75, 76, 77, 78
    elu t2, 4, 81, 82, 83, 84
    elu t3, 6, 85, 86, 87, 88
    addi a3, a3, 8
    bne a3, a4, 2b
    j 90f
    limit_elu t0, 71, 72, 73, 74
    limit_elu t1, 75, 76, 77, 78
    limit_elu t2, 81, 82, 83, 84
    limit_elu t3, 85, 86, 87, 88

    80:
    sw t0, 0(a3)
    sw t1, 4(a3)
    sw t2, 8(a3)
    sw t3, 12(a3)
    addi a3, a3, 16
    bne a3, a4, 2b

    90:
    lw s0, 0(sp)
    lw s1, 4(sp)
    lw s2, 8(sp)
    lw s3, 12(sp)
    lw s4, 16(sp)
    lw s5, 20(sp)
    lw s6, 24(sp)
    lw s7, 28(sp)
    addi sp, sp, 32
    ret
    .endm

    // The target's features do not reach assembly outside of functions.
    .option push
    .option arch, +m
"
    };
}

macro_rules! forget_macros {
    () => {
        "
    .option pop
    .purgem two_outputs
    .purgem one_input
    .purgem multiply
    .purgem interpolate
    .purgem tanh
    .purgem limit_tanh
    .purgem elu
    .purgem limit_elu
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
    lw t0, 0(a0)
    lw t1, 4(a0)
    lw t2, 8(a0)
    lw t3, 12(a0)
    addi a0, a0, 16
    mv a1, s3
    beq a1, a2, 4f
    3:
    lw t4, 0(a1)
    lw t5, 0(a0)
    lw t6, 4(a0)
    addi a1, a1, 4
    addi a0, a0, 8
    two_outputs t5, t0, t1
    two_outputs t6, t2, t3
    bne a1, a2, 3b
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

    // s4: 128 times the inputs' sum, too much in the sums of unsigned weights.
    mv a1, s3
    li s4, 0
    3:
    lh t0, 0(a1)
    lh t1, 2(a1)
    addi a1, a1, 4
    add s4, s4, t0
    add s4, s4, t1
    bne a1, a2, 3b
    slli s4, s4, 7

    2:
    lw t0, 0(a0)
    lw t1, 4(a0)
    lw t2, 8(a0)
    lw t3, 12(a0)
    addi a0, a0, 16
    mv a1, s3
    sub t1, t1, s4
    sub t3, t3, s4
    4:
    one_input 0, 1, 0, 5, 4
    one_input 2, 3, 2, 7, 6
    one_input 4, 9, 8, 13, 12
    one_input 6, 11, 10, 15, 14
    addi a0, a0, 16
    addi a1, a1, 8
    bne a1, a2, 4b
    multiply t0, 0
    multiply t1, 2
    multiply t2, 4
    multiply t3, 6
    addi a0, a0, 8
    finish_block
",
        forget_macros!(),
    )
}
