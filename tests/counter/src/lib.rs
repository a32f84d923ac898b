//! Counts what an emulated core does between two markers, exactly: instructions, loads, stores and
//! the deepest stack.
//!
//! A plugin of QEMU's translator, for QEMU 6.0 to 8.2. A marker is an instruction that changes
//! nothing and that no compiler gives out for its core:
//!
//! | | Thumb | RISC-V |
//! |---|---|---|
//! | begin | `mov r10, r10` | `slti x0, x0, 0x701` |
//! | end | `mov r11, r11` | `slti x0, x0, 0x702` |
//!
//! The last store before the begin marker is to the word just below the stack, which tells where the
//! stack is. Each end marker prints a line:
//!
//! ```text
//! count instructions 1003 loads 0 stores 0 stack 0
//! ```
//!
//! Markers are not counted; an access of several words counts once a word. The argument `floor=ADDRESS`
//! says what lies below the stack: stores there are to other memory.

#[allow(unsafe_code, reason = "QEMU calls, and is called, by a C interface")]
mod qemu;
mod tally;
