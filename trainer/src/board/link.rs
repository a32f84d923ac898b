//! A line to a board, whatever it is made of.

use std::io;
use std::time::Duration;

/// Sends bytes to a board and receives its own.
pub trait Link {
    /// Sends all bytes.
    ///
    /// # Errors
    ///
    /// Where the line is broken.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits for bytes, `timeout` long at most.
    ///
    /// # Errors
    ///
    /// Where the line is broken.
    fn receive(&mut self, timeout: Duration) -> io::Result<Received>;
}

/// What has come over a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// At least one byte.
    Bytes(Vec<u8>),
    /// Nothing in all the time.
    Silence,
    /// Nothing, and nothing will.
    End,
}
