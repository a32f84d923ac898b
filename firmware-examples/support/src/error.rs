//! Why an example ends before its input does.

use core::fmt;

use crate::ConsoleError;

/// Why an example ends.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// There is no model, or one that cannot be used.
    Model(flowlet::Error),
    /// The line to the computer is broken.
    Console(ConsoleError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(f),
            Self::Console(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

impl From<flowlet::Error> for Error {
    fn from(error: flowlet::Error) -> Self {
        Self::Model(error)
    }
}

impl From<ConsoleError> for Error {
    fn from(error: ConsoleError) -> Self {
        Self::Console(error)
    }
}

impl From<fmt::Error> for Error {
    fn from(error: fmt::Error) -> Self {
        Self::Console(error.into())
    }
}
