//! SysTick of a Cortex-M as a counter of cycles, as long as the work takes: every core has it, where
//! DWT is missing from a Cortex-M0+ and ends after 2³² cycles on others.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::{SCB, SYST, syst::SystClkSource};
use cortex_m_rt::exception;

const MOST: u32 = 0xFF_FFFF;

/// How often the counter has ended.
static ROUNDS: AtomicU32 = AtomicU32::new(0);

#[exception]
fn SysTick() {
    // Nothing else writes while the counter runs; a Cortex-M0+ has no addition in one go.
    ROUNDS.store(
        ROUNDS.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
}

/// Does `work` and tells how many cycles of the core it took.
pub(super) fn count<R>(timer: &mut SYST, work: impl FnOnce() -> R) -> (R, u64) {
    timer.disable_counter();
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(MOST);
    timer.clear_current();
    ROUNDS.store(0, Ordering::Relaxed);
    timer.enable_interrupt();
    timer.enable_counter();
    let result = work();
    let cycles = critical_section::with(|_| elapsed());
    timer.disable_counter();
    (result, cycles)
}

/// While no interrupt is served.
fn elapsed() -> u64 {
    let mut left = SYST::get_current();
    let mut rounds = ROUNDS.load(Ordering::Relaxed);
    if SCB::is_pendst_pending() {
        left = SYST::get_current();
        rounds = rounds.wrapping_add(1);
    }
    u64::from(rounds) * (u64::from(MOST) + 1) + u64::from(MOST - left)
}
