//! ST's STM32F4-Discovery: an STM32F407VG, a Cortex-M4F of 168 MHz.
//!
//! The console is USART2 on PA2 (to the computer) and PA3 (from it), which asks for an adapter: the
//! board's own debugger has no serial line. Random words are those of the RNG peripheral.
#![allow(
    unsafe_code,
    reason = "interrupts are switched on, and the last words take the line from whatever holds it"
)]

use core::cell::RefCell;
use core::fmt;

use critical_section::Mutex;
use flowlet_protocol::Spent;
use rand_core::Rng;
use stm32f4xx_hal::hal_02::blocking::rng::Read as _;
use stm32f4xx_hal::pac::{self, NVIC, USART2, interrupt};
#[cfg(not(feature = "emulated"))]
use stm32f4xx_hal::rcc::Config;
use stm32f4xx_hal::rcc::Rcc;
use stm32f4xx_hal::serial::{self, Rx, Serial, Tx};
use stm32f4xx_hal::{nb, prelude::*, rng};

pub use cortex_m_rt::entry;

use super::{cycles, received::Received, say_farewell, source::Source};
use crate::{Board, ConsoleError, Outcome};

static RECEIVED: Received = Received::new();
static INPUT: Shared<Rx<USART2>> = Mutex::new(RefCell::new(None));
static RANDOM: Shared<rng::Rng> = Mutex::new(RefCell::new(None));

type Shared<T> = Mutex<RefCell<Option<T>>>;

/// The board.
#[allow(
    missing_debug_implementations,
    reason = "registers have nothing to say"
)]
pub struct Stm32F4Discovery {
    output: Tx<USART2>,
    timer: pac::SYST,
}

impl Board for Stm32F4Discovery {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ConsoleError> {
        Ok(RECEIVED.read(bytes))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ConsoleError> {
        self.output.bwrite_all(bytes).map_err(|_| ConsoleError)
    }

    fn random(&self, seed: Option<u64>) -> impl Rng + use<> {
        Source::new(seed, word)
    }

    fn count<R>(&mut self, work: impl FnOnce() -> R) -> (R, Option<Spent>) {
        let (result, cycles) = cycles::count(&mut self.timer, work);
        (result, Some(Spent::Cycles(cycles)))
    }

    fn exit(outcome: Outcome) -> ! {
        say_farewell(Self::last_words(), outcome);
        loop {
            cortex_m::asm::wfi();
        }
    }
}

impl Stm32F4Discovery {
    /// The board at its full speed; none where it is taken already.
    pub(super) fn take() -> Option<Self> {
        let (chip, core) = (pac::Peripherals::take()?, pac::CorePeripherals::take()?);
        let mut rcc = clocks(chip.RCC);
        let pins = chip.GPIOA.split(&mut rcc);
        let config = serial::Config::default().baudrate(115_200.bps());
        let serial = Serial::new(chip.USART2, (pins.pa2, pins.pa3), config, &mut rcc);
        let (output, mut input) = serial.ok()?.split();
        input.listen();
        let random = random(chip.RNG, &mut rcc);
        critical_section::with(|cs| {
            INPUT.replace(cs, Some(input));
            RANDOM.replace(cs, random);
        });
        // SAFETY: no critical section is made by masking this interrupt.
        unsafe { NVIC::unmask(pac::Interrupt::USART2) };
        let timer = core.SYST;
        Some(Self { output, timer })
    }

    /// The serial line, whoever holds it.
    pub(super) fn last_words() -> impl fmt::Write {
        LastWords
    }
}

/// From the crystal of 8 MHz, with the 48 MHz that the random source runs on.
#[cfg(not(feature = "emulated"))]
fn clocks(rcc: pac::RCC) -> Rcc {
    rcc.freeze(Config::hse(8.MHz()).sysclk(168.MHz()).require_pll48clk())
}

#[cfg(not(feature = "emulated"))]
fn random(rng: pac::RNG, rcc: &mut Rcc) -> Option<rng::Rng> {
    Some(rng.constrain(rcc))
}

/// As after a reset: QEMU's STM32F405 has no clocks to wait for, and no random source.
#[cfg(feature = "emulated")]
fn clocks(rcc: pac::RCC) -> Rcc {
    rcc.constrain()
}

#[cfg(feature = "emulated")]
fn random(_: pac::RNG, _: &mut Rcc) -> Option<rng::Rng> {
    None
}

/// From the chip's random source.
///
/// # Panics
///
/// Where the source says of itself that its clock or its words are bad.
fn word() -> u32 {
    let mut bytes = [0; 4];
    let read = critical_section::with(|cs| {
        let mut random = RANDOM.borrow_ref_mut(cs);
        random.as_mut().map(|random| random.read(&mut bytes))
    });
    assert!(
        matches!(read, Some(Ok(()))),
        "the random source gives no words"
    );
    u32::from_ne_bytes(bytes)
}

#[interrupt]
fn USART2() {
    let received = critical_section::with(|cs| {
        let mut input = INPUT.borrow_ref_mut(cs);
        input.as_mut().map(|input| input.read())
    });
    match received {
        Some(Ok(byte)) => RECEIVED.push(Some(byte)),
        Some(Err(nb::Error::Other(_))) => RECEIVED.push(None),
        Some(Err(nb::Error::WouldBlock)) | None => {}
    }
}

/// Writes on a line that is set up.
struct LastWords;

impl fmt::Write for LastWords {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: whoever held the line never writes again.
        let line = unsafe { USART2::steal() };
        for byte in text.bytes() {
            while line.sr().read().txe().bit_is_clear() {}
            line.dr().write(|data| data.dr().set(byte.into()));
        }
        Ok(())
    }
}
