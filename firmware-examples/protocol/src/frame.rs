//! Frames: `0, COBS(message, CRC-32 of the message in little-endian), 0`, the message in postcard.

use core::fmt;

use flowlet::format::crc32_after;
use serde::{Deserialize, Serialize};

/// Bytes of the longest message with its checksum: 256 bytes of data and what tells their place
/// fit, and a sample of 64 dimensions.
pub const MAX_MESSAGE_LEN: usize = 288;
/// Bytes of the longest frame: a byte more in 254, one for the first, and both zeros.
pub const MAX_LEN: usize = MAX_MESSAGE_LEN + MAX_MESSAGE_LEN.div_ceil(254) + 1 + 2;

const CHECKSUM_LEN: usize = size_of::<u32>();

/// Room for a frame.
pub type Buffer = [u8; MAX_LEN];

/// Writes a message as a frame into `buffer`.
///
/// # Errors
///
/// [`FrameError::TooLong`].
pub fn encode<'b>(
    message: &impl Serialize,
    buffer: &'b mut Buffer,
) -> Result<&'b [u8], FrameError> {
    let mut plain = [0; MAX_MESSAGE_LEN];
    let (room, _) = plain
        .split_at_mut_checked(MAX_MESSAGE_LEN - CHECKSUM_LEN)
        .ok_or(FrameError::TooLong)?;
    let len = postcard::to_slice(message, room)
        .map_err(|_| FrameError::TooLong)?
        .len();
    let end = len + CHECKSUM_LEN;
    let crc = plain.get(..len).map_or(0, |bytes| crc32_after(0, bytes));
    if let Some(checksum) = plain.get_mut(len..end) {
        checksum.copy_from_slice(&crc.to_le_bytes());
    }
    let plain = plain.get(..end).ok_or(FrameError::TooLong)?;
    let [first, inner @ .., _] = buffer;
    *first = 0;
    let len = cobs::try_encode(plain, inner).map_err(|_| FrameError::TooLong)?;
    if let Some(last) = buffer.get_mut(1 + len) {
        *last = 0;
    }
    buffer.get(..len + 2).ok_or(FrameError::TooLong)
}

/// Reads the message of a frame, both zeros taken away.
///
/// # Errors
///
/// [`FrameError`], for anything that [`encode`] does not write, but for longer forms of its numbers.
pub fn decode<'b, T: Deserialize<'b>>(frame: &'b mut [u8]) -> Result<T, FrameError> {
    let len = cobs::decode_in_place(frame).map_err(|_| FrameError::Stuffing)?;
    let plain = frame.get(..len).ok_or(FrameError::Stuffing)?;
    let (message, checksum) = plain.split_last_chunk().ok_or(FrameError::Checksum)?;
    if crc32_after(0, message) != u32::from_le_bytes(*checksum) {
        return Err(FrameError::Checksum);
    }
    match postcard::take_from_bytes(message) {
        Ok((message, [])) => Ok(message),
        _ => Err(FrameError::Message),
    }
}

/// Gathers bytes to frames.
///
/// What is too long goes whole, to the next zero.
#[derive(Clone, Debug)]
pub struct FrameReader {
    bytes: heapless::Vec<u8, MAX_LEN>,
    is_too_long: bool,
    /// Whether the next byte begins another frame.
    is_whole: bool,
}

impl FrameReader {
    /// A reader between frames.
    pub const fn new() -> Self {
        Self {
            bytes: heapless::Vec::new(),
            is_too_long: false,
            is_whole: false,
        }
    }

    /// Takes in a byte, and tells whether it ends a [`frame`](Self::frame); two zeros one after the
    /// other have none between them.
    pub fn push(&mut self, byte: u8) -> bool {
        if self.is_whole {
            self.bytes.clear();
            self.is_too_long = false;
        }
        if byte == 0 {
            self.is_whole = !self.bytes.is_empty();
        } else {
            self.is_too_long |= self.bytes.push(byte).is_err();
            self.is_whole = false;
        }
        self.is_whole
    }

    /// Reads the message of the frame that has just ended.
    ///
    /// # Errors
    ///
    /// [`FrameError`]. The frame is gone after this.
    pub fn frame<'b, T: Deserialize<'b>>(&'b mut self) -> Result<T, FrameError> {
        if self.is_too_long {
            return Err(FrameError::TooLong);
        }
        decode(&mut self.bytes)
    }
}

impl Default for FrameReader {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a frame is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// It is longer than [`MAX_LEN`], or its message than [`MAX_MESSAGE_LEN`].
    TooLong,
    /// It is not stuffed as COBS has it.
    Stuffing,
    /// The checksum is that of another message.
    Checksum,
    /// The message is none of those expected.
    Message,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the frame is too long",
            Self::Stuffing => "the frame is cut or damaged",
            Self::Checksum => "the frame is damaged: its checksum is wrong",
            Self::Message => "the frame holds no message that is known",
        })
    }
}

impl core::error::Error for FrameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, Spent};
    use std::vec::Vec;

    fn largest() -> Answer {
        Answer::Sample {
            x: (0..64).map(|i| i as f32 * 0.3).collect(),
            log_prob: Some(-0.5),
        }
    }

    fn read(bytes: &[u8]) -> Vec<Result<Answer, FrameError>> {
        let mut reader = FrameReader::new();
        let mut answers = Vec::new();
        for byte in bytes {
            if reader.push(*byte) {
                answers.push(reader.frame());
            }
        }
        answers
    }

    #[test]
    fn the_largest_answer_comes_back() {
        let frame = encode(&largest(), &mut [0; MAX_LEN]).unwrap().to_vec();
        assert_eq!(read(&frame), [Ok(largest())]);
        assert!(!frame[1..frame.len() - 1].contains(&0));
    }

    #[test]
    fn a_reader_finds_its_way_back() {
        let done = Answer::Done {
            count: 0,
            spent: Some(Spent::Cycles(0)),
        };
        let frame = encode(&done, &mut [0; MAX_LEN]).unwrap().to_vec();
        let long = [1; MAX_LEN + 1];
        let stream = [b"some text\n", &frame[..], &frame[..], &long, &frame[..]].concat();
        let [text, first, second, long, last] = &read(&stream)[..] else {
            panic!("{:?}", read(&stream));
        };
        assert!(text.is_err());
        assert_eq!(*long, Err(FrameError::TooLong));
        for found in [first, second, last] {
            assert_eq!(*found, Ok(done.clone()));
        }
    }

    #[test]
    fn a_frame_with_any_other_bit_is_refused() {
        let frame = encode(&largest(), &mut [0; MAX_LEN]).unwrap().to_vec();
        for bit in 8..8 * (frame.len() - 1) {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let answers = read(&damaged);
            assert!(answers.iter().all(Result::is_err), "bit {bit}");
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_told() {
        // 64 numbers of one byte, and of five.
        let short = ([7u32; 32], [7u32; 32]);
        let long = ([u32::MAX; 32], [u32::MAX; 32]);
        let found = encode(&long, &mut [0; MAX_LEN]).err();
        assert_eq!(found, Some(FrameError::TooLong));
        assert!(encode(&short, &mut [0; MAX_LEN]).is_ok());
    }
}
