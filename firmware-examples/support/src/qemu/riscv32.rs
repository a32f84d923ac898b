//! Faults of a RISC-V core.

use riscv::register::{mcause, mepc};
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
