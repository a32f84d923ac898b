//! Requests from the console, and answers to it.

use flowlet_protocol::frame::{self, FrameError};
use flowlet_protocol::{Answer, Command, Form, LineError, LineReader, text};

use crate::input::Bytes;
use crate::{Board, ConsoleError, debug, warn};

/// Reads the console, line by line.
#[derive(Debug)]
pub struct Requests {
    lines: LineReader,
    bytes: Bytes,
}

impl Requests {
    /// Requests from the first on.
    pub const fn new() -> Self {
        Self {
            lines: LineReader::new(),
            bytes: Bytes::new(),
        }
    }

    /// The next line, or none at the end of all input; an unended last line is none.
    ///
    /// # Errors
    ///
    /// [`ConsoleError`].
    pub fn line<B: Board>(
        &mut self,
        board: &mut B,
    ) -> Result<Option<Result<&str, LineError>>, ConsoleError> {
        while let Some(byte) = self.bytes.next(board)? {
            if self.lines.push(byte) {
                return Ok(Some(self.lines.line()));
            }
        }
        Ok(None)
    }

    /// The next command; lines that are none are answered with why.
    ///
    /// # Errors
    ///
    /// [`ConsoleError`].
    pub fn command<B: Board>(&mut self, board: &mut B) -> Result<Option<Command>, ConsoleError> {
        while let Some(said) = self.command_or_refusal(board)? {
            if let Ok(command) = said {
                return Ok(Some(command));
            }
        }
        Ok(None)
    }

    /// As [`command`](Self::command), for whoever has to know which lines are missing.
    ///
    /// # Errors
    ///
    /// [`ConsoleError`].
    pub fn command_or_refusal<B: Board>(
        &mut self,
        board: &mut B,
    ) -> Result<Option<Result<Command, Refused>>, ConsoleError> {
        let Some(line) = self.line(board)? else {
            return Ok(None);
        };
        let error = match line.map(str::parse) {
            Ok(Ok(command)) => {
                debug!("asked: {}", command);
                return Ok(Some(Ok(command)));
            }
            Ok(Err(error)) => {
                warn!("no command: {}", error);
                Answer::error(&error)
            }
            Err(error) => {
                warn!("no line: {}", error);
                Answer::error(&error)
            }
        };
        answer(board, Form::Text, &error)?;
        Ok(Some(Err(Refused)))
    }
}

/// A line was none that can be read, and has been answered with why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl Default for Requests {
    fn default() -> Self {
        Self::new()
    }
}

/// Sends an answer.
///
/// # Errors
///
/// [`ConsoleError`].
pub fn answer<B: Board>(board: &mut B, form: Form, answer: &Answer) -> Result<(), ConsoleError> {
    match form {
        Form::Text => Ok(text::write(&mut board.console(), answer)?),
        Form::Frames => {
            let mut buffer = [0; frame::MAX_LEN];
            // Every answer fits into a frame.
            let frame = frame::encode(answer, &mut buffer);
            board.write(frame.map_err(|_: FrameError| ConsoleError)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Outcome;
    use flowlet_protocol::Spent;
    use rand_core::Rng;
    use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};
    use std::vec::Vec;

    /// Gives a few bytes at a time, and keeps what it is sent.
    struct Desk {
        input: &'static [u8],
        output: Vec<u8>,
    }

    impl Desk {
        /// With two commands, two lines that are none between them, and a line without an end.
        fn new() -> Self {
            Self {
                input: b"model\nsampel 3\n\xFF\nhelp\r\nmodel",
                output: Vec::new(),
            }
        }
    }

    impl Board for Desk {
        fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ConsoleError> {
            let n = self.input.len().min(bytes.len()).min(7);
            let (now, later) = self.input.split_at(n);
            bytes[..n].copy_from_slice(now);
            self.input = later;
            Ok(n)
        }

        fn write(&mut self, bytes: &[u8]) -> Result<(), ConsoleError> {
            self.output.extend(bytes);
            Ok(())
        }

        fn random(&self, seed: Option<u64>) -> impl Rng + use<> {
            Xoshiro128PlusPlus::seed_from_u64(seed.unwrap_or(0))
        }

        fn count<R>(&mut self, work: impl FnOnce() -> R) -> (R, Option<Spent>) {
            (work(), None)
        }

        fn exit(_: Outcome) -> ! {
            panic!("the example ends")
        }
    }

    #[test]
    fn commands_come_one_by_one_and_what_is_none_is_answered() {
        let mut board = Desk::new();
        let mut requests = Requests::new();
        for expected in [Some(Command::Model), Some(Command::Help), None] {
            assert_eq!(requests.command(&mut board).unwrap(), expected);
        }
        check_answers(&board.output);
    }

    #[test]
    fn who_asks_for_refusals_learns_of_each_line_that_is_missing() {
        let mut board = Desk::new();
        let mut requests = Requests::new();
        for expected in [
            Ok(Command::Model),
            Err(Refused),
            Err(Refused),
            Ok(Command::Help),
        ] {
            let said = requests.command_or_refusal(&mut board).unwrap();
            assert_eq!(said, Some(expected));
        }
        assert_eq!(requests.command_or_refusal(&mut board), Ok(None));
        check_answers(&board.output);
    }

    /// Each line that is none is answered once.
    fn check_answers(output: &[u8]) {
        let output = std::str::from_utf8(output).unwrap();
        let lines: Vec<_> = output.lines().collect();
        assert_eq!(lines.len(), 2, "{output}");
        assert!(lines[0].starts_with("error there is no such command"));
        assert!(lines[1].starts_with("error the line is not UTF-8"));
    }
}
