//! Models on boards: build the firmware around a model, run it, read what it says.
//!
//! The boards are QEMU's. Their firmware is built from `firmware-examples` in the checkout
//! that this crate was built in.

pub mod cost;
mod emulator;
mod error;
pub mod firmware;
mod machine;
mod memory;
mod request;
mod run;
mod transcript;

pub use error::BoardError;
pub use machine::Board;
pub use memory::Memory;
pub use request::{Request, default_n, macs_per_sample};
pub use run::{BoardRun, Progress, run, run_program};
