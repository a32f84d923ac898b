//! Lines out of a stream of bytes.

use core::fmt;

/// Bytes of the longest line, its end not among them: every option and 32 context numbers of 16
/// characters fit.
pub const MAX_LINE_LEN: usize = 640;

/// Gathers bytes to lines, which end in a line feed, a carriage return, or both.
///
/// Empty lines are none. A line that is too long goes whole.
///
/// ```
/// use flowlet_protocol::LineReader;
///
/// let mut reader = LineReader::new();
/// let lines = b"model\n".iter().filter(|byte| reader.push(**byte)).count();
/// assert_eq!((lines, reader.line()), (1, Ok("model")));
/// ```
#[derive(Clone, Debug)]
pub struct LineReader {
    bytes: heapless::Vec<u8, MAX_LINE_LEN>,
    is_too_long: bool,
    /// Whether the next byte begins another line.
    is_whole: bool,
}

impl LineReader {
    /// A reader at the start of a line.
    pub const fn new() -> Self {
        Self {
            bytes: heapless::Vec::new(),
            is_too_long: false,
            is_whole: false,
        }
    }

    /// Takes in a byte, and tells whether it ends a [`line`](Self::line).
    pub fn push(&mut self, byte: u8) -> bool {
        if self.is_whole {
            self.bytes.clear();
            self.is_too_long = false;
        }
        match byte {
            b'\n' | b'\r' => self.is_whole = !self.bytes.is_empty(),
            _ => {
                self.is_too_long |= self.bytes.push(byte).is_err();
                self.is_whole = false;
            }
        }
        self.is_whole
    }

    /// The line that has just ended.
    ///
    /// # Errors
    ///
    /// [`LineError`] where it was too long or is not text.
    pub fn line(&self) -> Result<&str, LineError> {
        if self.is_too_long {
            return Err(LineError::TooLong);
        }
        core::str::from_utf8(&self.bytes).map_err(|_| LineError::NotText)
    }
}

impl Default for LineReader {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a line is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LineError {
    /// It has more than [`MAX_LINE_LEN`] bytes.
    TooLong,
    /// It is not UTF-8.
    NotText,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the line has more than {MAX_LINE_LEN} bytes"),
            Self::NotText => f.write_str("the line is not UTF-8"),
        }
    }
}

impl core::error::Error for LineError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    fn lines(bytes: &[u8]) -> Vec<Result<String, LineError>> {
        let mut reader = LineReader::new();
        let mut lines = Vec::new();
        for byte in bytes {
            if reader.push(*byte) {
                lines.push(reader.line().map(String::from));
            }
        }
        lines
    }

    #[test]
    fn every_way_to_end_a_line_ends_one() {
        let expected = ["a", "b c", "d"].map(|line| Ok(line.into()));
        assert_eq!(lines(b"a\nb c\r\n\n\r\nd\runended"), expected);
    }

    #[test]
    fn what_is_too_long_goes_whole_and_is_told_once() {
        let most = [b'x'; MAX_LINE_LEN];
        let within = [&most[..], b"\n"].concat();
        assert_eq!(
            lines(&within),
            [Ok(String::from_utf8(most.into()).unwrap())]
        );
        let beyond = [&most[..], b"xyz\nmodel\n"].concat();
        assert_eq!(
            lines(&beyond),
            [Err(LineError::TooLong), Ok("model".into())]
        );
    }

    #[test]
    fn what_is_no_text_is_told() {
        let expected = [Err(LineError::NotText), Ok("ok".into())];
        assert_eq!(lines(b"\xFF\xFE\nok\n"), expected);
    }
}
