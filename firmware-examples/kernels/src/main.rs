#![no_std]
#![no_main]
//! Computes layers with random numbers by the board's kernel and by the definition, and prints a
//! hash of their results.
//!
//! ```text
//! 6144 layers alike, hash 152f7a15
//! ```

#[allow(
    unreachable_pub,
    reason = "the file is a public module of the host's tests"
)]
#[path = "../../../tests/src/random_layer.rs"]
mod random_layer;

use core::fmt::{self, Write};

use random_layer::{Comparison, Difference, LAYER_COUNT};
use support::{Board, ThisBoard};

#[support::entry]
fn main() -> ! {
    support::run(compare)
}

fn compare(board: &mut ThisBoard) -> Result<(), Error> {
    let hash = Comparison::new().run(0..LAYER_COUNT)?;
    writeln!(
        board.console(),
        "{LAYER_COUNT} layers alike, hash {hash:08x}"
    )?;
    Ok(())
}

#[derive(Debug)]
enum Error {
    Difference(Difference),
    Console(fmt::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Difference(difference) => difference.fmt(f),
            Self::Console(_) => f.write_str("the console takes no text"),
        }
    }
}

impl From<Difference> for Error {
    fn from(difference: Difference) -> Self {
        Self::Difference(difference)
    }
}

impl From<fmt::Error> for Error {
    fn from(error: fmt::Error) -> Self {
        Self::Console(error)
    }
}
