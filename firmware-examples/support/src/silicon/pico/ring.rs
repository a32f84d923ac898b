//! Random words from the RP2040's ring oscillator, whose state can be read as a bit.
//!
//! The bit is biased, and follows the last one where it is read again too soon. So it is read every
//! 10 µs, as the Pico SDK does, some 65 turns of the oscillator apart, and conditioned by von
//! Neumann's rule: of two bits that differ the first counts, and two that are equal count for
//! nothing. That takes a constant bias away, whatever it is; it does not take away what bits this
//! far apart still know of one another, and there is no test of their quality but that they are not
//! stuck. A word takes at least 0.64 ms, and 1.3 ms on average.

use core::cell::RefCell;

use critical_section::Mutex;
use rp2040_hal::pac::ROSC;
use rp2040_hal::rosc::{Enabled, RingOscillator};

static RING: Mutex<RefCell<Option<RingOscillator<Enabled>>>> = Mutex::new(RefCell::new(None));

/// Cycles of the core between two bits: 10 µs.
const CYCLES_PER_BIT: u32 = 1250;

/// Equal pairs in a row that a working oscillator does not give: one in 2¹²⁸ of fair bits.
const MOST_EQUAL_PAIRS: u32 = 128;

/// Starts the oscillator, from which the core does not run.
pub(super) fn start(oscillator: ROSC) {
    let ring = RingOscillator::new(oscillator).initialize();
    critical_section::with(|cs| RING.replace(cs, Some(ring)));
}

/// 32 conditioned bits.
///
/// # Panics
///
/// Where the oscillator is stuck.
pub(super) fn word() -> u32 {
    (0..32).fold(0, |word, _| word << 1 | u32::from(bit()))
}

fn bit() -> bool {
    let pairs = (0..MOST_EQUAL_PAIRS).map(|_| (raw_bit(), raw_bit()));
    let first = pairs
        .filter(|(first, second)| first != second)
        .map(|pair| pair.0)
        .next();
    first.expect("the ring oscillator swings")
}

fn raw_bit() -> bool {
    cortex_m::asm::delay(CYCLES_PER_BIT);
    critical_section::with(|cs| {
        let ring = RING.borrow_ref(cs);
        ring.as_ref().is_some_and(RingOscillator::get_random_bit)
    })
}
