#![no_std]
//! What an example needs of the machine it runs on, so that it is written once for all boards.
//!
//! An example names no board: `support` brings the one chosen by its feature as `ThisBoard`.
//!
//! ```text
//! #[support::entry]
//! fn main() -> ! {
//!     support::run(|board| example(board))
//! }
//! ```
//!
//! [`Requests`] reads commands and [`answer`] answers them, [`Input`] reads update requests too; [`Models`]
//! finds the models in flash, and [`Draws`] samples them; [`info`] and its like log by defmt, with the feature of
//! that name.
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

mod board;
mod draws;
mod error;
#[cfg(any(feature = "qemu", feature = "silicon"))]
mod flash;
mod input;
mod log;
mod models;
#[cfg(feature = "qemu")]
mod qemu;
#[cfg(any(feature = "qemu", feature = "silicon"))]
mod region;
mod requests;
mod sampling;
#[cfg(feature = "silicon")]
mod silicon;

#[cfg(feature = "defmt")]
pub use defmt;

pub use board::{Board, Console, ConsoleError, Outcome};
pub use draws::{Digest, Draws};
pub use error::Error;
#[cfg(any(feature = "qemu", feature = "silicon"))]
pub use flash::Flash as ThisFlash;
pub use input::Input;
pub use log::Logged;
pub use models::Models;
#[cfg(feature = "qemu")]
pub use qemu::{Qemu as ThisBoard, entry, run};
#[cfg(any(feature = "qemu", feature = "silicon"))]
pub use region::model_region;
pub use requests::{Refused, Requests, answer};
pub use sampling::{digest, sample};
#[cfg(feature = "nrf52840-dk")]
pub use silicon::nrf52840_dk;
#[cfg(feature = "silicon")]
pub use silicon::{LOST, ThisBoard, entry, fail, run};
