//! Faults of a Cortex-M, and its SysTick as a counter.

use core::hint::black_box;

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

/// Ticks from 2²⁴ − 1 down to 0, once in as many instructions as the machine's clock is slower.
pub(super) struct Counter;

/// Instructions of a nanosecond each in a tick of the machine's clock, in halves.
const HALVES_PER_TICK: u64 = if cfg!(feature = "qemu-m0") {
    125
} else if cfg!(feature = "qemu-m33") {
    100
} else {
    80
};

const CONTROL: *mut u32 = 0xE000_E010_u32 as _;
const RELOAD: *mut u32 = 0xE000_E014_u32 as _;
const VALUE: *mut u32 = 0xE000_E018_u32 as _;

const MOST: u32 = 0xFF_FFFF;
/// Enabled, by the clock of the core, without interrupts.
const RUNNING: u32 = 0b101;
/// Has been at 0 since it was last asked.
const HAS_ENDED: u32 = 1 << 16;

#[allow(unsafe_code, reason = "registers are memory")]
impl Counter {
    pub(super) fn start() -> Self {
        // SAFETY: the registers are there on every machine, and nothing else uses them.
        unsafe {
            RELOAD.write_volatile(MOST);
            VALUE.write_volatile(0);
            CONTROL.write_volatile(RUNNING);
        }
        black_box(Self)
    }

    /// Since the start; none where the ticks were too many.
    pub(super) fn instructions(self) -> Option<u64> {
        // SAFETY: as at the start.
        let (left, control) = unsafe { (VALUE.read_volatile(), CONTROL.read_volatile()) };
        let ticks = u64::from(MOST.saturating_sub(left));
        (control & HAS_ENDED == 0).then_some(ticks * HALVES_PER_TICK / 2)
    }
}
