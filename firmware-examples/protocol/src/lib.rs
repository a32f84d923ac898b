#![no_std]
#![deny(missing_docs)]
#![deny(unsafe_code)]
//! What a board with a flowlet model and a computer say to each other over a serial line.
//!
//! The computer sends one [`Command`] a line:
//!
//! ```text
//! sample 100 seed=7 steps=20 context=0.5,-1.25 as=frames
//! ```
//!
//! The board answers in [`text`], for people and terminals, or in frames, for programs. Both carry
//! the same [`Answer`]s, and a CRC-32 each:
//!
//! ```text
//! sample  0.994681  0.132457  log_prob  -0.071015  bits 3f7ea364 3e07a2ea bd917050 *1c291ca3
//! done 1 samples in 106984 instructions *0a41f2b7
//! ```
//!
//! A [`frame`] is `0, COBS(postcard(answer), CRC-32 of that in little-endian), 0`, so that a reader
//! finds its way back after whatever was lost.
//!
//! A new model comes in frames too, by the protocol of [`update`]; a [`StreamReader`] tells these and
//! commands apart.
//!
//! Nothing here allocates, panics, or takes longer than its input is long. What is longer than
//! [`MAX_LINE_LEN`] or [`frame::MAX_LEN`] is dropped whole, and told.
//!
//! With the feature `defmt`, commands, requests, replies and errors can be logged by defmt.

#[cfg(any(test, feature = "simulated"))]
extern crate std;

mod answer;
mod command;
mod float;
pub mod frame;
mod line;
#[cfg(feature = "defmt")]
mod log;
mod stream;
pub mod text;
pub mod update;

pub use answer::{Answer, Facts, Message, Spent};
pub use command::{Command, CommandError, Draw, Form, HELP, Measured};
pub use line::{LineError, LineReader, MAX_LINE_LEN};
pub use stream::{Said, StreamReader};
