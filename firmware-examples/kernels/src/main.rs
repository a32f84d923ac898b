#![no_std]
#![no_main]
//! Computes layers with random numbers by the board's kernel and by the definition, and prints a
//! hash of their results; and calls the kernel with a number in each register that it has to keep.
//!
//! ```text
//! 6144 layers alike, hash 52f89102, registers kept
//! ```

#[allow(
    unreachable_pub,
    reason = "the file is a public module of the host's tests"
)]
#[path = "../../../tests/src/random_layer.rs"]
mod random_layer;
mod registers;

use core::fmt::{self, Write};

use random_layer::{Comparison, Difference, LAYER_COUNT};
use registers::Registers;
use support::{Board, ThisBoard};

/// Layers of both kinds with every activation and magnitude, of 0 to 9 inputs.
const CALL_COUNT: u32 = 240;

#[support::entry]
fn main() -> ! {
    support::run(compare)
}

fn compare(board: &mut ThisBoard) -> Result<(), Error> {
    let mut comparison = Comparison::new();
    let hash = comparison.run(0..LAYER_COUNT, |layer, x, out| layer.by_target(x, out))?;
    let mut registers = Registers::new();
    comparison.run(0..CALL_COUNT, |trial, input, out| {
        trial.by_call(input, out, |kernel, arguments| {
            #[allow(
                unsafe_code,
                reason = "the kernel is to be called with its arguments, once"
            )]
            unsafe {
                registers.call(kernel, arguments);
            }
        });
    })?;
    if let Some(name) = registers.changed() {
        return Err(Error::Register(name));
    }
    writeln!(
        board.console(),
        "{LAYER_COUNT} layers alike, hash {hash:08x}, registers kept"
    )?;
    Ok(())
}

#[derive(Debug)]
enum Error {
    Difference(Difference),
    Register(&'static str),
    Console(fmt::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Difference(difference) => difference.fmt(f),
            Self::Register(name) => write!(f, "the kernel does not keep {name}"),
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
