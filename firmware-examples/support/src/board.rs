//! The seam between examples and boards.

use core::fmt;

use flowlet_protocol::Spent;
use rand_core::Rng;

/// A machine that an example runs on.
pub trait Board {
    /// Waits for input and takes as much of it as there is and fits; 0 bytes are the end of all input.
    ///
    /// # Errors
    ///
    /// [`ConsoleError`].
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ConsoleError>;

    /// Sends all bytes.
    ///
    /// # Errors
    ///
    /// [`ConsoleError`].
    fn write(&mut self, bytes: &[u8]) -> Result<(), ConsoleError>;

    /// A source of random words: from a seed the same words on every board, and without one those of
    /// the chip's own source, or of the seed 0 where it has none.
    fn random(&self, seed: Option<u64>) -> impl Rng + use<Self>;

    /// Does `work` and tells what it took; nothing where the board has no counter, or work that is
    /// longer than it counts.
    fn count<R>(&mut self, work: impl FnOnce() -> R) -> (R, Option<Spent>);

    /// Ends the run.
    fn exit(outcome: Outcome) -> !;

    /// The way for text.
    fn console(&mut self) -> Console<'_, Self> {
        Console(self)
    }
}

/// Takes text to where a board sends its bytes.
#[derive(Debug)]
pub struct Console<'b, B: ?Sized>(&'b mut B);

impl<B: Board + ?Sized> fmt::Write for Console<'_, B> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// The line to the computer is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ConsoleError;

impl fmt::Display for ConsoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the console takes or gives no bytes")
    }
}

impl core::error::Error for ConsoleError {}

impl From<fmt::Error> for ConsoleError {
    fn from(_: fmt::Error) -> Self {
        Self
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All was done.
    Success,
    /// The console says what went wrong.
    Failure,
}
