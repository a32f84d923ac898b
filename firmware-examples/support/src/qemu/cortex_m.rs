//! Faults of a Cortex-M.

use cortex_m_rt::{ExceptionFrame, exception};

use super::fail;

#[allow(unsafe_code, reason = "the signature that cortex-m-rt asks for")]
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    fail(format_args!(
        "HardFault at {:#010x}, called from {:#010x}",
        frame.pc(),
        frame.lr()
    ))
}
