//! What can go wrong on a line to a board.

use std::io;
use std::path::PathBuf;

use super::serial::there_are;

/// Why nothing came over a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// There is no such serial port.
    #[error(
        "there is no serial port {port}: {}",
        there_are(ports, "none is connected")
    )]
    NoPort {
        /// What was asked for.
        port: String,
        /// The ports that there are.
        ports: Vec<String>,
    },
    /// Another program has the serial port.
    #[error("another program uses the serial port {port}: close it, a terminal for instance")]
    Busy {
        /// The port.
        port: String,
    },
    /// The user may not use the serial port.
    #[error(
        "the serial port {port} cannot be opened: on Linux type `sudo usermod -aG dialout $USER` and log in again"
    )]
    Denied {
        /// The port.
        port: String,
    },
    /// The serial port cannot be used.
    #[error("the serial port {port} cannot be opened")]
    Open {
        /// The port.
        port: String,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing answers.
    #[error(
        "nothing answers on {name}: check that the sampler is on the board (`flowlet flash`), that it has power, and that this is its port"
    )]
    Silent {
        /// The port or board.
        name: String,
    },
    /// What comes is not from the sampler.
    #[error(
        "what comes from {name} is none of the sampler's answers: flash it by `flowlet flash`, or check the port and --baud"
    )]
    Foreign {
        /// The port or board.
        name: String,
    },
    /// The board is at what it was asked for before.
    #[error(
        "the board on {name} still answers what it was asked for before: wait until it is done, or reset it"
    )]
    Occupied {
        /// The port or board.
        name: String,
    },
    /// The firmware has no samples to give.
    #[error(
        "the firmware on {name} answers, but with no samples: flash the sampler by `flowlet flash`"
    )]
    NoSamples {
        /// The port or board.
        name: String,
    },
    /// The firmware gives no log-probabilities.
    #[error(
        "the firmware on {name} gives samples without log-probabilities, which cannot be verified: flash the sampler by `flowlet flash`"
    )]
    NoLogProbs {
        /// The port or board.
        name: String,
    },
    /// The line is gone.
    #[error(
        "the connection to {name} broke, as when a cable is unplugged: plug it in and begin again"
    )]
    Broken {
        /// The port or board.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The board answers with an error.
    #[error("the firmware on {name} says: {message}")]
    Refused {
        /// The port or board.
        name: String,
        /// What it said.
        message: String,
    },
    /// Answers are missing.
    #[error(
        "{lost} of {count} samples were lost on the way from {name}: check the cable, and ask again"
    )]
    Lost {
        /// The port or board.
        name: String,
        /// Samples that did not come.
        lost: usize,
        /// Samples that were asked for.
        count: usize,
    },
    /// The board has another model.
    #[error(
        "the board on {name} has another model ({found}): flash {} first, by `flowlet flash`",
        path.display()
    )]
    OtherModel {
        /// The port or board.
        name: String,
        /// The file of the model that it should have.
        path: PathBuf,
        /// What the board says of its own.
        found: String,
    },
}
