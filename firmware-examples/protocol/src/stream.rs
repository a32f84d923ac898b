//! Commands and update requests out of one stream of bytes.

use crate::frame::FrameReader;
use crate::update::Request;
use crate::{Command, CommandError, LineError, LineReader};

/// Tells the commands and the update requests of a stream apart.
///
/// Text has no zeros, and a frame of a request has a control character before anything that could be a
/// line. So a line counts unless there was one since the last zero; and a zero that gets lost, or that noise
/// adds, costs no more than the frame or line that it falls into.
#[derive(Clone, Debug)]
pub struct StreamReader {
    lines: LineReader,
    frames: FrameReader,
    /// Whether a zero was last, but for text.
    is_open: bool,
    /// Whether what comes after that zero is a frame's.
    is_frame: bool,
    ended: Ended,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ended {
    Nothing,
    Line,
    Frame,
}

/// What a computer says.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "a board has no heap to put one on"
)]
pub enum Said<'r> {
    /// A command.
    Command(Command),
    /// A line that is no command.
    Unknown(CommandError),
    /// A line that is none.
    NoLine(LineError),
    /// A request.
    Request(Request<'r>),
    /// A frame that is none or damaged: whoever sent a request sends it again where nothing answers.
    NoFrame,
}

impl StreamReader {
    /// A reader at the start of a line.
    pub const fn new() -> Self {
        Self {
            lines: LineReader::new(),
            frames: FrameReader::new(),
            is_open: false,
            is_frame: false,
            ended: Ended::Nothing,
        }
    }

    /// Takes in a byte, and tells whether it ends what can be [`said`](Self::said).
    pub fn push(&mut self, byte: u8) -> bool {
        let frame = self.frames.push(byte);
        self.ended = match byte {
            0 => {
                self.lines = LineReader::new();
                (self.is_open, self.is_frame) = (true, false);
                if frame { Ended::Frame } else { Ended::Nothing }
            }
            _ => {
                self.is_frame |= self.is_open && !is_text(byte);
                let line = self.lines.push(byte) && !self.is_frame;
                if line { Ended::Line } else { Ended::Nothing }
            }
        };
        self.ended != Ended::Nothing
    }

    /// What has just ended. It is gone after this.
    pub fn said(&mut self) -> Said<'_> {
        if self.ended == Ended::Line {
            return match self.lines.line().map(str::parse) {
                Ok(Ok(command)) => Said::Command(command),
                Ok(Err(error)) => Said::Unknown(error),
                Err(error) => Said::NoLine(error),
            };
        }
        match self.frames.frame() {
            Ok(request) => {
                self.is_open = false;
                Said::Request(request)
            }
            Err(_) => Said::NoFrame,
        }
    }
}

impl Default for StreamReader {
    fn default() -> Self {
        Self::new()
    }
}

const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7E | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{MAX_LEN, encode};
    use std::string::String;
    use std::vec::Vec;
    use std::{format, vec};

    fn read(bytes: &[u8]) -> Vec<String> {
        let mut reader = StreamReader::new();
        let mut said = vec![];
        for byte in bytes {
            if reader.push(*byte) {
                said.push(match reader.said() {
                    Said::Command(command) => format!("{command}"),
                    Said::Unknown(_) => "?".into(),
                    Said::NoLine(_) => "??".into(),
                    Said::Request(Request::Data { offset, .. }) => format!("data {offset}"),
                    Said::Request(_) => "request".into(),
                    Said::NoFrame => "-".into(),
                });
            }
        }
        said
    }

    fn frame(request: &Request<'_>) -> Vec<u8> {
        encode(request, &mut [0; MAX_LEN]).unwrap().to_vec()
    }

    /// Data that looks like commands.
    fn data() -> Vec<u8> {
        frame(&Request::Data {
            offset: 8,
            bytes: b"\nmodel\nsample 1\r\n",
        })
    }

    fn finish() -> Vec<u8> {
        frame(&Request::Finish)
    }

    #[test]
    fn commands_and_requests_are_told_apart() {
        let bytes = [&b"model\n"[..], &data(), &finish(), b"help\nsampel\n\xFF\n"].concat();
        let expected = ["model", "-", "data 8", "request", "help", "?", "??"];
        assert_eq!(read(&bytes), expected);
    }

    #[test]
    fn no_request_can_be_taken_for_a_line() {
        let begin = |length| Request::Begin {
            length,
            checksum: 0x0A0D_0A0D,
        };
        for offset in 0..70_000 {
            let bytes = &b"\n\r\nmodel\n"[..offset % 9];
            let offset = offset as u32;
            for request in [Request::Data { offset, bytes }, begin(offset)] {
                let said = read(&frame(&request));
                assert_eq!(said.len(), 1, "{request:?}: {said:?}");
            }
        }
    }

    #[test]
    fn a_zero_that_is_lost_or_added_costs_no_more_than_one_frame_or_line() {
        let (data, finish) = (data(), finish());
        let no_first = [&data[1..], &finish, b"model\n"].concat();
        assert_eq!(
            &read(&no_first)[read(&no_first).len() - 2..],
            ["request", "model"]
        );
        let no_last = [&data[..data.len() - 1], &finish, &finish, b"model\n"].concat();
        assert_eq!(read(&no_last), ["data 8", "request", "request", "model"]);
        let cut = [&data[..9], b"model\n", &finish, b"model\n"].concat();
        assert_eq!(read(&cut), ["-", "request", "model"]);
        assert_eq!(read(b"\0model\nsampel\nhelp\n"), ["model", "?", "help"]);
        assert_eq!(read(b"mod\0el\nhelp\n"), ["-", "?", "help"]);
        // The zero that ends a request opens nothing: noise after it costs a line.
        let noise = [&finish[..], b"\x07model\nhelp\n"].concat();
        assert_eq!(read(&noise), ["request", "?", "help"]);
    }
}
