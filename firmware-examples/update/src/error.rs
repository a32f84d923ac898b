//! Why the program ends.

use core::fmt;

use support::ConsoleError;
#[cfg(feature = "defmt")]
use support::defmt;

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Error {
    /// Of what all samplers have.
    Sampling(support::Error),
    /// The region for models cannot be written as two slots and a page of records.
    Flash,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sampling(error) => error.fmt(f),
            Self::Flash => f.write_str(
                "the flash for models is too small for two slots and a page of records, or begins amid a page: \
                 correct `_model_start` and `_model_end` in the board's memory map",
            ),
        }
    }
}

impl core::error::Error for Error {}

impl From<support::Error> for Error {
    fn from(error: support::Error) -> Self {
        Self::Sampling(error)
    }
}

impl From<ConsoleError> for Error {
    fn from(error: ConsoleError) -> Self {
        Self::Sampling(error.into())
    }
}
