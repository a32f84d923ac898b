//! Raspberry Pi's Pico: an RP2040, of whose two Cortex-M0+ one runs, at 125 MHz.
//!
//! The console is UART0 on GP0 (to the computer) and GP1 (from it), where the Debug Probe has its
//! serial line. Random words are bits of the ring oscillator, [conditioned](ring::word).
#![allow(
    unsafe_code,
    reason = "the boot loader has its place, interrupts are switched on, and the last words take the \
              line from whatever holds it"
)]

mod ring;

use core::cell::RefCell;
use core::fmt;

use critical_section::Mutex;
use flowlet_protocol::Spent;
use nb::Error as Blocked;
use rand_core::Rng;
use rp2040_hal::clocks::{Clock, init_clocks_and_plls};
use rp2040_hal::fugit::RateExtU32;
use rp2040_hal::gpio::{FunctionUart, Pin, Pins, PullDown, bank0::Gpio0, bank0::Gpio1};
use rp2040_hal::pac::{self, NVIC, UART0, interrupt};
use rp2040_hal::uart::{DataBits, Reader, StopBits, UartConfig, UartPeripheral, Writer};
use rp2040_hal::{Sio, Watchdog};

pub use cortex_m_rt::entry;

use super::{cycles, received::Received, say_farewell, source::Source};
use crate::{Board, ConsoleError, Outcome};

/// Reads the flash of a Pico, a W25Q16; the chip's own boot code starts it and checks its CRC.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

/// The crystal's, in hertz.
const CRYSTAL: u32 = 12_000_000;

static RECEIVED: Received = Received::new();
static INPUT: Mutex<RefCell<Option<Reader<UART0, Line>>>> = Mutex::new(RefCell::new(None));

type Line = (UartPin<Gpio0>, UartPin<Gpio1>);
type UartPin<P> = Pin<P, FunctionUart, PullDown>;

/// The board.
#[allow(
    missing_debug_implementations,
    reason = "registers have nothing to say"
)]
pub struct Pico {
    output: Writer<UART0, Line>,
    timer: pac::SYST,
}

impl Board for Pico {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ConsoleError> {
        Ok(RECEIVED.read(bytes))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ConsoleError> {
        self.output.write_full_blocking(bytes);
        Ok(())
    }

    fn random(&self, seed: Option<u64>) -> impl Rng + use<> {
        Source::new(seed, ring::word)
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

impl Pico {
    /// The board at its full speed; none where it is taken already, or its crystal does not swing.
    pub(super) fn take() -> Option<Self> {
        let (chip, core) = (pac::Peripherals::take()?, pac::CorePeripherals::take()?);
        let mut resets = chip.RESETS;
        let clocks = init_clocks_and_plls(
            CRYSTAL,
            chip.XOSC,
            chip.CLOCKS,
            chip.PLL_SYS,
            chip.PLL_USB,
            &mut resets,
            &mut Watchdog::new(chip.WATCHDOG),
        );
        let frequency = clocks.ok()?.peripheral_clock.freq();
        let bank = Sio::new(chip.SIO).gpio_bank0;
        let pins = Pins::new(chip.IO_BANK0, chip.PADS_BANK0, bank, &mut resets);
        let line = (pins.gpio0.into_function(), pins.gpio1.into_function());
        let config = UartConfig::new(115_200.Hz(), DataBits::Eight, None, StopBits::One);
        let uart = UartPeripheral::new(chip.UART0, line, &mut resets);
        let mut uart = uart.enable(config, frequency).ok()?;
        uart.enable_rx_interrupt();
        let (input, output) = uart.split();
        ring::start(chip.ROSC);
        critical_section::with(|cs| INPUT.replace(cs, Some(input)));
        // SAFETY: no critical section is made by masking this interrupt.
        unsafe { NVIC::unmask(pac::Interrupt::UART0_IRQ) };
        let timer = core.SYST;
        Some(Self { output, timer })
    }

    /// The serial line, whoever holds it.
    pub(super) fn last_words() -> impl fmt::Write {
        LastWords
    }
}

#[interrupt]
fn UART0_IRQ() {
    critical_section::with(|cs| {
        let input = INPUT.borrow_ref(cs);
        let Some(input) = input.as_ref() else { return };
        let mut bytes = [0; 32];
        match input.read_raw(&mut bytes) {
            Ok(count) => bytes
                .iter()
                .take(count)
                .for_each(|byte| RECEIVED.push(Some(*byte))),
            Err(Blocked::Other(error)) => {
                error
                    .discarded
                    .iter()
                    .for_each(|byte| RECEIVED.push(Some(*byte)));
                RECEIVED.push(None);
            }
            Err(Blocked::WouldBlock) => {}
        }
    });
}

/// Writes on a line that is set up.
struct LastWords;

impl fmt::Write for LastWords {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: whoever held the line never writes again.
        let line = unsafe { UART0::steal() };
        for byte in text.bytes() {
            while line.uartfr().read().txff().bit_is_set() {}
            // SAFETY: any byte is data.
            line.uartdr()
                .write(|data| unsafe { data.data().bits(byte) });
        }
        Ok(())
    }
}
