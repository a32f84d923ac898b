//! The seam between examples and boards.

use core::fmt;

use rand_core::Rng;

/// A machine that an example runs on.
pub trait Board {
    /// Where text goes.
    type Console: fmt::Write;

    /// Where the example writes what it has to say.
    fn console(&mut self) -> &mut Self::Console;

    /// Hands the arguments of this run to `read`, first to last.
    ///
    /// # Errors
    ///
    /// What `read` answers; arguments too long for the board reach it as none.
    fn with_arguments<T>(&self, read: impl FnOnce(&mut dyn Iterator<Item = &str>) -> T) -> T;

    /// A source of random words. The same seed gives the same words where the board has no source
    /// of its own.
    fn random(&self, seed: u64) -> impl Rng + use<Self>;

    /// Ends the run.
    fn exit(outcome: Outcome) -> !;
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All was done.
    Success,
    /// The console says what went wrong.
    Failure,
}
