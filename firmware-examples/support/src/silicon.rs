//! Boards of silicon, each by its chip's own hardware abstraction layer.
//!
//! Their console is a serial line of 115,200 baud; its input has no end, so that an example ends by
//! an error only. What ends stays asleep, after it has said so.

#[cfg(target_arch = "arm")]
mod cycles;
#[cfg(feature = "esp32c3")]
mod esp32c3;
#[cfg(feature = "nrf52840-dk")]
pub mod nrf52840_dk;
#[cfg(feature = "pico")]
mod pico;
#[cfg(any(feature = "stm32f4-discovery", feature = "pico"))]
mod received;
mod source;
#[cfg(feature = "stm32f4-discovery")]
mod stm32f4_discovery;

use core::fmt::{Display, Write as _};
use core::panic::PanicInfo;

#[cfg(feature = "stm32f4-discovery")]
pub use self::stm32f4_discovery::{Stm32F4Discovery as ThisBoard, entry};
#[cfg(feature = "esp32c3")]
pub(crate) use esp32c3::window;
#[cfg(feature = "esp32c3")]
pub use esp32c3::{Esp32C3 as ThisBoard, entry};
#[cfg(feature = "nrf52840-dk")]
pub use nrf52840_dk::{Nrf52840Dk as ThisBoard, entry};
#[cfg(feature = "pico")]
pub use pico::{Pico as ThisBoard, entry};

// The logger, which nothing calls by its name.
#[cfg(feature = "defmt")]
use defmt_rtt as _;

use crate::log::{Logged, last_words};
use crate::{Board, Outcome, error};

/// Stands for bytes that were lost. No line may have it, so that a line with a hole is told.
pub const LOST: u8 = 0xFF;

/// Runs an example to its end.
pub fn run<E: Display + Logged>(example: impl FnOnce(&mut ThisBoard) -> Result<(), E>) -> ! {
    let Some(mut board) = ThisBoard::take() else {
        ThisBoard::exit(Outcome::Failure)
    };
    match example(&mut board) {
        Ok(()) => ThisBoard::exit(Outcome::Success),
        Err(error) => fail(&error),
    }
}

/// Ends a program for an error, on a board that has been started.
pub fn fail<E: Display + Logged>(error: &E) -> ! {
    error!("{}", error);
    // Who does not read the line cannot be told.
    let _ = writeln!(ThisBoard::last_words(), "error: {error}");
    ThisBoard::exit(Outcome::Failure)
}

/// Tells that the run has ended.
fn say_farewell(mut console: impl core::fmt::Write, outcome: Outcome) {
    let text = match outcome {
        Outcome::Success => "stopped: all is done",
        Outcome::Failure => "stopped: reset the board to start it again",
    };
    let _ = writeln!(console, "{text}");
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // The console first: where the panic came while something was logged, the logger itself panics.
    let _ = writeln!(ThisBoard::last_words(), "{info}");
    last_words(info);
    ThisBoard::exit(Outcome::Failure)
}
