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
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

mod board;
#[cfg(feature = "qemu")]
mod qemu;
mod request;

pub use board::{Board, Outcome};
#[cfg(feature = "qemu")]
pub use qemu::{Qemu as ThisBoard, entry, run};
pub use request::{Request, RequestError};
