//! Faults of a RISC-V core, and its counter of instructions.

use riscv::register::{mcause, mepc, minstret};
use riscv_rt::TrapFrame;

use super::fail;

#[allow(unsafe_code, reason = "riscv-rt calls the handler by this name")]
#[unsafe(export_name = "ExceptionHandler")]
extern "C" fn exception(frame: &TrapFrame) -> ! {
    fail(format_args!(
        "exception {} at {:#010x}, called from {:#010x}",
        mcause::read().code(),
        mepc::read(),
        frame.ra
    ))
}

/// Where the counter stood at the start.
pub(super) struct Counter(u64);

impl Counter {
    pub(super) fn start() -> Self {
        Self(minstret::read64())
    }

    /// Since the start.
    pub(super) fn instructions(self) -> Option<u64> {
        Some(minstret::read64().wrapping_sub(self.0))
    }
}
