//! A line's bytes as they come, for whoever reads other frames than answers.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use super::Line;
use crate::board::link::{Link, Received};

impl Link for Line {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.way.write(bytes)
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Received> {
        if !self.unread.is_empty() {
            return Ok(Received::Bytes(std::mem::take(&mut self.unread)));
        }
        let deadline = Instant::now() + timeout;
        let mut chunk = [0; 512];
        loop {
            match self.way.read(&mut chunk) {
                Ok(len) => return Ok(Received::Bytes(chunk[..len].to_vec())),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Received::End),
                Err(error)
                    if [ErrorKind::TimedOut, ErrorKind::Interrupted].contains(&error.kind()) =>
                {
                    if Instant::now() >= deadline {
                        return Ok(Received::Silence);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}
