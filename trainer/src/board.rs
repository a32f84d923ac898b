//! Models on boards: lay a model into the flash of one, run its firmware, read what it says.
//!
//! Boards are QEMU's or of silicon. Their firmware is built from `firmware-examples` in the checkout
//! that this crate was built in.

mod comparison;
pub mod cost;
mod detection;
mod elf;
mod emulated_link;
mod emulator;
mod error;
mod example;
pub mod exchange;
pub mod firmware;
mod fit;
pub mod flash;
pub mod line;
pub mod link;
mod log;
mod machine;
mod memory;
mod request;
mod run;
mod transcript;
pub mod update;

pub use comparison::{ModelCost, compare};
pub use detection::{CHANNELS, Detection, Recordings, Window, detect, windows};
pub use emulator::Launch;
pub use error::BoardError;
pub use example::Example;
pub use flash::FlashError;
pub use line::{Line, LineError};
pub use log::{Level, Log};
pub use machine::{Board, Region};
pub use memory::Memory;
pub use request::{Request, default_n, macs_per_sample};
pub use run::{BoardRun, Difference, Progress, run, run_logging, run_program};
