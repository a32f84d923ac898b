//! Nordic's nRF52840-DK: a Cortex-M4F of 64 MHz.
//!
//! The console is UARTE0 on P0.06 (to the computer) and P0.08 (from it), which the board's debugger
//! passes on over USB. Random words are those of the RNG peripheral, with its bias corrected.
#![allow(
    unsafe_code,
    reason = "the last words take the line from whatever holds it"
)]

use core::cell::RefCell;
use core::fmt;

use cortex_m::peripheral::SYST;
use critical_section::Mutex;
use embassy_futures::block_on;
use embassy_nrf::buffered_uarte::{self, BufferedUarte, BufferedUarteRx, BufferedUarteTx, Error};
use embassy_nrf::interrupt::typelevel::{self, Binding};
use embassy_nrf::mode::Blocking;
use embassy_nrf::uarte::{self, UarteTx};
use embassy_nrf::{Peri, bind_interrupts, config, peripherals, rng};
use flowlet_protocol::Spent;
use rand_core::Rng;
use static_cell::ConstStaticCell;

pub use cortex_m_rt::entry;

use super::{LOST, cycles, say_farewell, source::Source};
use crate::{Board, ConsoleError, Outcome};

bind_interrupts!(struct Interrupts {
    UARTE0 => buffered_uarte::InterruptHandler<peripherals::UARTE0>;
});

/// Takes in the longest line, and a part of the next.
const INPUT_LEN: usize = 1024;
const OUTPUT_LEN: usize = 256;

static RANDOM: Mutex<RefCell<Option<Random>>> = Mutex::new(RefCell::new(None));

type Random = rng::Rng<'static, Blocking>;

/// What of the chip an example may use.
#[allow(
    missing_debug_implementations,
    reason = "registers have nothing to say"
)]
pub struct Parts {
    /// The serial line from the computer.
    pub input: BufferedUarteRx<'static>,
    /// The serial line to the computer.
    pub output: BufferedUarteTx<'static>,
    /// The first of the board's lights, which a low level switches on.
    pub light: Peri<'static, peripherals::P0_13>,
}

/// Starts the chip, from its crystal, and its serial line and random source.
///
/// # Panics
///
/// Where it is started already.
pub fn parts() -> Parts {
    static INPUT: ConstStaticCell<[u8; INPUT_LEN]> = ConstStaticCell::new([0; INPUT_LEN]);
    static OUTPUT: ConstStaticCell<[u8; OUTPUT_LEN]> = ConstStaticCell::new([0; OUTPUT_LEN]);
    let mut config = config::Config::default();
    // A serial line at this speed asks for better than the chip's own oscillator.
    config.hfclk_source = config::HfclkSource::ExternalXtal;
    config.lfclk_source = config::LfclkSource::ExternalXtal;
    let chip = embassy_nrf::init(config);
    let random = rng::Rng::new_blocking(chip.RNG);
    random.set_bias_correction(true);
    critical_section::with(|cs| RANDOM.replace(cs, Some(random)));
    let line = BufferedUarte::new(
        chip.UARTE0,
        chip.TIMER0,
        chip.PPI_CH0,
        chip.PPI_CH1,
        chip.PPI_GROUP0,
        chip.P0_08,
        chip.P0_06,
        Interrupts,
        uarte::Config::default(),
        INPUT.take(),
        OUTPUT.take(),
    );
    let (input, output) = line.split();
    let light = chip.P0_13;
    Parts {
        input,
        output,
        light,
    }
}

/// The board.
#[allow(
    missing_debug_implementations,
    reason = "registers have nothing to say"
)]
pub struct Nrf52840Dk {
    input: BufferedUarteRx<'static>,
    output: BufferedUarteTx<'static>,
    timer: SYST,
}

impl Board for Nrf52840Dk {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ConsoleError> {
        match block_on(self.input.read(bytes)) {
            Ok(count) => Ok(count),
            Err(Error::Overrun) => {
                bytes.iter_mut().take(1).for_each(|byte| *byte = LOST);
                Ok(bytes.len().min(1))
            }
            Err(_) => Err(ConsoleError),
        }
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), ConsoleError> {
        while !bytes.is_empty() {
            let written = block_on(self.output.write(bytes)).map_err(|_| ConsoleError)?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    fn random(&self, seed: Option<u64>) -> impl Rng + use<> {
        random(seed)
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

impl Nrf52840Dk {
    /// The board; none where it is taken already.
    pub(super) fn take() -> Option<Self> {
        let timer = cortex_m::Peripherals::take()?.SYST;
        let Parts { input, output, .. } = parts();
        Some(Self {
            input,
            output,
            timer,
        })
    }

    /// The serial line, whoever holds it.
    pub(super) fn last_words() -> impl fmt::Write {
        LastWords::new()
    }
}

/// Random words of a seed, or without one of the chip's source.
pub fn random(seed: Option<u64>) -> impl Rng {
    Source::new(seed, word)
}

/// From the chip's random source.
fn word() -> u32 {
    let word = critical_section::with(|cs| {
        let mut random = RANDOM.borrow_ref_mut(cs);
        random.as_mut().map(Random::blocking_next_u32)
    });
    word.expect("the source starts with the board")
}

/// Writes by itself, as no interrupt comes any more.
struct LastWords(UarteTx<'static>);

/// Of the core, in which the longest output that may be under way ends: 25 ms.
const CYCLES_OF_OUTPUT: u32 = 1_600_000;

impl LastWords {
    fn new() -> Self {
        cortex_m::interrupt::disable();
        cortex_m::asm::delay(CYCLES_OF_OUTPUT);
        // SAFETY: whoever held them never runs again.
        let (line, pin) = unsafe { (peripherals::UARTE0::steal(), peripherals::P0_06::steal()) };
        Self(UarteTx::new(
            line,
            Uninterrupted,
            pin,
            uarte::Config::default(),
        ))
    }
}

impl fmt::Write for LastWords {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut parts = text.as_bytes().chunks(64);
        parts.try_for_each(|part| self.0.blocking_write(part).map_err(|_| fmt::Error))
    }
}

/// Says that the handler of a plain serial line is there, where none is needed.
#[derive(Clone, Copy)]
struct Uninterrupted;

// SAFETY: no interrupt is served where this is used.
unsafe impl Binding<typelevel::UARTE0, uarte::InterruptHandler<peripherals::UARTE0>>
    for Uninterrupted
{
}
