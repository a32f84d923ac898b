//! Espressif's ESP32-C3: RV32IMC, at 160 MHz.
//!
//! The console is UART0 on GPIO21 (to the computer) and GPIO20 (from it), which the ESP32-C3-DevKit
//! boards pass on over USB. It takes in 128 bytes while no one reads. Random words are those of the
//! chip's generator, fed with the noise of its ADC.
#![allow(
    unsafe_code,
    reason = "the last words take the line from whatever holds it; flash is shown by registers"
)]

pub(crate) mod window;

use core::fmt;

use esp_hal::clock::CpuClock;
use esp_hal::peripherals::UART0;
use esp_hal::rng::{Trng, TrngSource};
use esp_hal::timer::systimer::{SystemTimer, Unit};
use esp_hal::uart::{self, Uart};
use esp_hal::{Blocking, riscv};
use flowlet_protocol::Spent;
use rand_core::Rng;

pub use esp_riscv_rt::entry;

use super::{LOST, say_farewell, source::Source};
use crate::{Board, ConsoleError, Outcome};

// For the boot loader of ESP-IDF, which starts the program.
esp_bootloader_esp_idf::esp_app_desc!();

/// Of the core, at 160 MHz, in one of the system timer, at 16 MHz.
const CYCLES_PER_TICK: u64 = 10;

/// The board.
#[allow(
    missing_debug_implementations,
    reason = "registers have nothing to say"
)]
pub struct Esp32C3 {
    line: Uart<'static, Blocking>,
    /// Feeds the random source as long as it is there.
    _noise: TrngSource<'static>,
}

impl Board for Esp32C3 {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ConsoleError> {
        self.line.read(bytes).or_else(|_| {
            bytes.iter_mut().take(1).for_each(|byte| *byte = LOST);
            Ok(bytes.len().min(1))
        })
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), ConsoleError> {
        while !bytes.is_empty() {
            let written = self.line.write(bytes).map_err(|_| ConsoleError)?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    fn random(&self, seed: Option<u64>) -> impl Rng + use<> {
        Source::new(seed, word)
    }

    /// To ten cycles: by the system timer, which counts as long as the work takes.
    fn count<R>(&mut self, work: impl FnOnce() -> R) -> (R, Option<Spent>) {
        let start = SystemTimer::unit_value(Unit::Unit0);
        let result = work();
        let ticks = SystemTimer::unit_value(Unit::Unit0).wrapping_sub(start);
        (result, Some(Spent::Cycles(ticks * CYCLES_PER_TICK)))
    }

    fn exit(outcome: Outcome) -> ! {
        say_farewell(Self::last_words(), outcome);
        loop {
            riscv::asm::wfi();
        }
    }
}

impl Esp32C3 {
    /// The board at its full speed.
    ///
    /// # Panics
    ///
    /// Where it is taken already.
    pub(super) fn take() -> Option<Self> {
        let chip = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
        let line = Uart::new(chip.UART0, uart::Config::default()).ok()?;
        let line = line.with_rx(chip.GPIO20).with_tx(chip.GPIO21);
        let _noise = TrngSource::new(chip.RNG, chip.ADC1);
        Some(Self { line, _noise })
    }

    /// The serial line, whoever holds it.
    pub(super) fn last_words() -> impl fmt::Write {
        LastWords
    }
}

/// From the chip's random source.
fn word() -> u32 {
    let source = Trng::try_new();
    source.expect("the noise is there with the board").random()
}

/// Writes on a line that is set up.
struct LastWords;

impl fmt::Write for LastWords {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // The line takes 128 bytes ahead.
            while UART0::regs().status().read().txfifo_cnt().bits() >= 127 {}
            // SAFETY: any byte is data.
            UART0::regs()
                .fifo()
                .write(|data| unsafe { data.rxfifo_rd_byte().bits(byte) });
        }
        Ok(())
    }
}
