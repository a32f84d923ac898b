//! Layers on cores with the DSP extension: Armv7E-M, and Armv8-M Mainline that has it.
//!
//! # Two outputs at once
//!
//! A halfword of weights is `256 w + u`, with the weight `w` of one output and `u = w′ + 128` of the
//! next. Over the inputs x, SMLALD sums `S = Σ (256 w + u) x` in 64 bits, and UXTB16 and SMLAD
//! `U = Σ u x`: three instructions for four multiply-adds. With the biases b and b′ and
//! `C = 128 Σ x`, U starts at `b′ − C` and S at `256 b + b′ − C`. So U ends at the second sum, in
//! 32 bits whatever was carried out of them on the way, and S at 256 times the first sum plus the
//! second. As their low bytes are equal, the first sum is `(S >> 8) − (U >> 8)`.
//!
//! # Cost
//!
//! A later layer takes 14 instructions for 16 multiply-adds and about 50 for a block of four outputs;
//! a first layer 10 for 8 and about 30.

use core::arch::naked_asm;

use super::Arguments;

/// Assembles the extension's instructions, which Rust's target for Armv8-M leaves out.
macro_rules! core {
    () => {
        env!("FLOWLET_DSP_DIRECTIVE")
    };
}

macro_rules! define_macros {
    () => {
        r"
    // Two inputs of a first layer: r0 the weights, r1 the inputs, r4 to r7 the sums. 40 bytes.
    .macro two_inputs
    ldrd r12, lr, [r1], #8
    ldmia r0!, {{r8-r11}}
    smlawb r4, r12, r8, r4
    smlawt r5, r12, r8, r5
    smlawb r6, r12, r9, r6
    smlawt r7, r12, r9, r7
    smlawb r4, lr, r10, r4
    smlawt r5, lr, r10, r5
    smlawb r6, lr, r11, r6
    smlawt r7, lr, r11, r7
    .endm

    // Four inputs of a later layer: r0 the weights, r1 the inputs. For two outputs S is r6:r5 and U
    // is r3, for the other two r12:r7 and r4. 56 bytes.
    .macro four_inputs
    ldmia r0!, {{r8-r11}}
    ldrd r2, lr, [r1], #8
    smlald r5, r6, r8, r2
    uxtb16 r8, r8
    smlad r3, r8, r2, r3
    smlald r7, r12, r9, r2
    uxtb16 r9, r9
    smlad r4, r9, r2, r4
    smlald r5, r6, r10, lr
    uxtb16 r10, r10
    smlad r3, r10, lr, r3
    smlald r7, r12, r11, lr
    uxtb16 r11, r11
    smlad r4, r11, lr, r4
    .endm

    // tanh of four numbers, in pairs in the first and the third: r10 the shift, r11 the table.
    .macro tanh a, b, c, d
    lsl \a, \a, r10
    lsl \b, \b, r10
    lsl \c, \c, r10
    lsl \d, \d, r10
    ssat \a, #24, \a
    ssat \b, #24, \b
    ssat \c, #24, \c
    ssat \d, #24, \d
    asr r8, \a, #15
    asr r9, \b, #15
    asr r12, \c, #15
    asr lr, \d, #15
    ldr r8, [r11, r8, lsl #2]
    ldr r9, [r11, r9, lsl #2]
    ldr r12, [r11, r12, lsl #2]
    ldr lr, [r11, lr, lsl #2]
    smlabb \a, \a, r8, r8
    smlabb \b, \b, r9, r9
    smlabb \c, \c, r12, r12
    smlabb \d, \d, lr, lr
    pkhtb \a, \b, \a, asr #16
    pkhtb \c, \d, \c, asr #16
    .endm

    // elu of one number: r10 the shift, r11 the table, lr the exponent and 5. The part above 0 and
    // the table's are added, since one of them is 0.
    .macro elu_of_one p
    lsl \p, \p, r10
    usat r8, #31, \p
    sub r9, \p, r8
    ssat r9, #24, r9
    asr r12, r9, #15
    ldr r12, [r11, r12, lsl #2]
    smlabb r9, r9, r12, r12
    add \p, r8, r9, asr #11
    asr \p, \p, lr
    ssat \p, #16, \p
    .endm

    // elu of four numbers, in pairs in the first and the third.
    .macro elu a, b, c, d
    elu_of_one \a
    elu_of_one \b
    elu_of_one \c
    elu_of_one \d
    pkhbt \a, \a, \b, lsl #16
    pkhbt \c, \c, \d, lsl #16
    .endm

    // The address of what follows the sums, by r8: 6 is tanh, 7 elu, 8 neither.
    .macro choose_finish address
    adr.w \address, 6f
    cmp r8, #1
    it eq
    adreq.w \address, 7f
    it hi
    adrhi.w \address, 8f
    orr \address, \address, #1
    .endm
"
    };
}

macro_rules! forget_macros {
    () => {
        "
    .purgem two_inputs
    .purgem four_inputs
    .purgem tanh
    .purgem elu_of_one
    .purgem elu
    .purgem choose_finish
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
        core!(),
        define_macros!(),
        "
    push {{r4-r11, lr}}
    // Blocks, input, its end, out, its end, table, shift, exponent, finish.
    ldm r0, {{r0-r8}}
    adds r7, #5
    push {{r4-r7}}
    choose_finish r4

    // Where pairs of inputs begin: k pairs more than a multiple of four are the loop's last k.
    subs r5, r2, r1
    lsrs r6, r5, #3
    rsbs r6, r6, #0
    and r6, r6, #3
    movs r7, #40
    muls r6, r7, r6
    adr.w r7, 4f
    adds r6, r6, r7
    cmp r5, #8
    it lo
    adrlo.w r6, 5f
    orr r6, r6, #1
    // Where a block begins: there too, unless the number of inputs is odd.
    adr.w r7, 3f
    orr r7, r7, #1
    tst r5, #4
    it eq
    moveq r7, r6
    push {{r1, r2, r4, r6, r7}}

    2:
    ldrd r1, r2, [sp]
    ldmia r0!, {{r4-r7}}
    ldr pc, [sp, #{block}]

    3:
    ldr r12, [r1], #4
    ldrd r8, r9, [r0], #8
    smlawb r4, r12, r8, r4
    smlawt r5, r12, r8, r5
    smlawb r6, r12, r9, r6
    smlawt r7, r12, r9, r7
    ldr pc, [sp, #{pairs}]

    .p2align 2
    4:
    two_inputs
    two_inputs
    two_inputs
    two_inputs
    cmp r1, r2
    bne.w 4b

    5:
    ldrd r11, r10, [sp, #{table_and_shift}]
    ldr pc, [sp, #{finish}]

    6:
    tanh r4, r5, r6, r7
    b 9f

    7:
    ldr lr, [sp, #{exponent}]
    elu r4, r5, r6, r7

    9:
    strd r4, r6, [r3], #8
    ldr r8, [sp, #{out_end}]
    cmp r3, r8
    bne.w 2b
    add sp, #{frame}
    pop {{r4-r11, pc}}

    8:
    stmia r3!, {{r4-r7}}
    ldr r8, [sp, #{out_end}]
    cmp r3, r8
    bne.w 2b
    add sp, #{frame}
    pop {{r4-r11, pc}}
",
        forget_macros!(),
        // The input and its end come first.
        finish = const 8,
        pairs = const 12,
        block = const 16,
        out_end = const 20,
        table_and_shift = const 24,
        exponent = const 32,
        frame = const 36,
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
        core!(),
        define_macros!(),
        "
    push {{r4-r11, lr}}
    // Blocks, input, its end, out, its end, table, shift, exponent, finish.
    ldm r0, {{r0-r8}}
    adds r7, #5
    push {{r3-r7}}
    choose_finish r3

    // Where a block begins: k times four inputs more than a multiple of 16 are the loop's last k.
    sub r9, r1, r2
    and r9, r9, #24
    rsb r9, r9, r9, lsl #3
    adr.w r10, 4f
    add r9, r10
    orr r9, r9, #1
    push {{r2, r3, r9}}

    movs r4, #0
    mov r5, #0x10001
    mov r6, r1
    3:
    ldrd r7, r8, [r6], #8
    smlad r4, r7, r5, r4
    smlad r4, r8, r5, r4
    cmp r6, r2
    bne 3b
    // What each block begins with: the input, −C in 64 bits, twice, between the biases' factors.
    lsls r4, r4, #7
    rsbs r4, r4, #0
    asrs r5, r4, #31
    mov r6, r4
    mov r7, r5
    mov r8, #1
    mov r3, #256
    push {{r1, r3-r8}}

    2:
    ldmia sp, {{r1, r2, r5-r7, r12, lr}}
    ldmia r0!, {{r8-r11}}
    add r3, r9, r5
    add r4, r11, r5
    smlal r5, r6, r8, r2
    smlal r5, r6, r9, lr
    smlal r7, r12, r10, r2
    smlal r7, r12, r11, lr
    ldr pc, [sp, #{block}]

    .p2align 2
    4:
    four_inputs
    four_inputs
    four_inputs
    four_inputs
    ldr r8, [sp, #{input_end}]
    cmp r1, r8
    bne.w 4b

    // The sums: r5, r3, r7, r4.
    lsrs r5, r5, #8
    orr r5, r5, r6, lsl #24
    sub r5, r5, r3, asr #8
    lsrs r7, r7, #8
    orr r7, r7, r12, lsl #24
    sub r7, r7, r4, asr #8
    ldrd r8, r9, [r0], #8
    smulwb r5, r5, r8
    smulwt r3, r3, r8
    smulwb r7, r7, r9
    smulwt r4, r4, r9
    ldrd r1, r2, [sp, #{out_and_end}]
    ldrd r11, r10, [sp, #{table_and_shift}]
    ldr pc, [sp, #{finish}]

    6:
    tanh r5, r3, r7, r4
    b 9f

    7:
    ldr lr, [sp, #{exponent}]
    elu r5, r3, r7, r4

    9:
    strd r5, r7, [r1], #8
    str r1, [sp, #{out_and_end}]
    cmp r1, r2
    bne.w 2b
    add sp, #{frame}
    pop {{r4-r11, pc}}

    8:
    strd r5, r3, [r1], #8
    strd r7, r4, [r1], #8
    str r1, [sp, #{out_and_end}]
    cmp r1, r2
    bne.w 2b
    add sp, #{frame}
    pop {{r4-r11, pc}}
",
        forget_macros!(),
        // What each block begins with comes first.
        input_end = const 28,
        finish = const 32,
        block = const 36,
        out_and_end = const 40,
        table_and_shift = const 48,
        exponent = const 56,
        frame = const 60,
    )
}
