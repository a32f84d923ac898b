//! All that a computer says: commands and update requests.

use flowlet_protocol::{Said, StreamReader};

use crate::{Board, ConsoleError};

/// Bytes that are taken from a board at a time.
const CHUNK: usize = 64;

/// Takes a board's bytes one by one.
#[derive(Debug)]
pub(crate) struct Bytes {
    chunk: [u8; CHUNK],
    taken: usize,
    end: usize,
}

impl Bytes {
    pub(crate) const fn new() -> Self {
        Self {
            chunk: [0; CHUNK],
            taken: 0,
            end: 0,
        }
    }

    /// The next, or none at the end of all input.
    pub(crate) fn next<B: Board>(&mut self, board: &mut B) -> Result<Option<u8>, ConsoleError> {
        if self.taken == self.end {
            (self.taken, self.end) = (0, board.read(&mut self.chunk)?);
        }
        let unread = self.chunk.get(self.taken..self.end).unwrap_or_default();
        self.taken += usize::from(!unread.is_empty());
        Ok(unread.first().copied())
    }
}

/// Reads commands and update requests from the console.
#[derive(Debug)]
pub struct Input {
    stream: StreamReader,
    bytes: Bytes,
}

impl Input {
    /// All from the first on.
    pub const fn new() -> Self {
        Self {
            stream: StreamReader::new(),
            bytes: Bytes::new(),
        }
    }

    /// What is said next, or none at the end of all input.
    ///
    /// # Errors
    ///
    /// [`ConsoleError`].
    pub fn next<B: Board>(&mut self, board: &mut B) -> Result<Option<Said<'_>>, ConsoleError> {
        while let Some(byte) = self.bytes.next(board)? {
            if self.stream.push(byte) {
                return Ok(Some(self.stream.said()));
            }
        }
        Ok(None)
    }
}

impl Default for Input {
    fn default() -> Self {
        Self::new()
    }
}
