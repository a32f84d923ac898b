//! Why the detector ends, or takes no sample.

use core::fmt;

use support::ConsoleError;
#[cfg(feature = "defmt")]
use support::defmt;

use crate::CHANNELS;

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Error {
    Model(flowlet::Error),
    Console(ConsoleError),
    NoThreshold,
    Shape,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(f),
            Self::Console(error) => error.fmt(f),
            Self::NoThreshold => {
                f.write_str("the model has no threshold: store one by `flowlet calibrate`")
            }
            Self::Shape => write!(
                f,
                "samples have {CHANNELS} numbers, and so have windows: the model has to read those alone"
            ),
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
