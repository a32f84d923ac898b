//! The way to a board that runs: commands there, answers back.

mod emulated;
mod error;
mod raw;
mod serial;

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use flowlet_protocol::frame;
use flowlet_protocol::text::strip_checksum;
use flowlet_protocol::{Answer, Command};

use super::{Board, BoardError, Log};
use crate::error::Error;
use crate::model_file::ModelFile;

pub use error::LineError;
pub use serial::{BAUD_RATE, ports, there_are};

/// How long bytes are waited for at a time.
const MOMENT: Duration = Duration::from_millis(50);
/// Bytes that are kept while no frame ends: more than a frame, and a message before it.
const MOST_UNREAD: usize = 4096;

/// A line to a board.
#[derive(Debug)]
pub struct Line {
    way: Way,
    /// What the board or its port is called.
    name: String,
    /// What came and was not read yet.
    unread: Vec<u8>,
    damaged: usize,
    /// Whether anything came at all.
    heard: bool,
}

#[derive(Debug)]
enum Way {
    Serial(serial::Port),
    Emulated(Box<emulated::Machine>),
}

impl Line {
    /// Opens a serial port; the sampler speaks [`BAUD_RATE`].
    ///
    /// # Errors
    ///
    /// [`BoardError::Line`] where it is not there, in use, or not for this user.
    pub fn open(port: &str, baud_rate: u32) -> Result<Self, BoardError> {
        let way = Way::Serial(serial::Port::open(port, baud_rate)?);
        Ok(Self::new(way, port))
    }

    /// Starts the sampler in QEMU, with a model.
    ///
    /// # Errors
    ///
    /// As [`run`](super::run).
    pub fn emulate(
        board: Board,
        file: &ModelFile,
        program: Option<&Path>,
        log: Option<&Log>,
    ) -> Result<Self, Error> {
        let machine = emulated::Machine::start(board, file, program, log)?;
        Ok(Self::new(Way::Emulated(Box::new(machine)), board.name()))
    }

    fn new(way: Way, name: &str) -> Self {
        Self {
            way,
            name: name.into(),
            unread: vec![],
            damaged: 0,
            heard: false,
        }
    }

    /// What the board or its port is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Frames that came damaged so far.
    pub fn damaged(&self) -> usize {
        self.damaged
    }

    /// Sends a command.
    ///
    /// # Errors
    ///
    /// [`BoardError::Line`] where the line is broken.
    pub fn send(&mut self, command: &Command) -> Result<(), BoardError> {
        self.write(format!("{command}\n").as_bytes())
    }

    /// Ends whatever was begun on the line, and waits until the board answers to this program.
    ///
    /// # Errors
    ///
    /// [`LineError::Silent`] where nothing answers for so long, [`LineError::Foreign`] where something else
    /// does, [`LineError::Occupied`] where the board does, but not to this, and [`LineError::Refused`] where it
    /// answers with an error alone.
    pub fn begin(&mut self, patience: Duration) -> Result<(), BoardError> {
        let mut nothing = flowlet_protocol::Draw::new(0);
        nothing.form = flowlet_protocol::Form::Frames;
        // A zero for a frame that was cut off, whose rest a board would wait for.
        self.write(b"\0\n")?;
        self.send(&Command::Sample(nothing))?;
        let deadline = Instant::now() + patience;
        let (mut refusal, mut is_occupied) = (None, false);
        loop {
            match self.answer(deadline) {
                Ok(Answer::Done { count: 0, .. }) => break,
                // What was asked for by others may still arrive before.
                Ok(_) => is_occupied = true,
                Err(error @ BoardError::Line(LineError::Refused { .. })) => refusal = Some(error),
                Err(BoardError::Line(LineError::Foreign { name })) if is_occupied => {
                    return Err(LineError::Occupied { name }.into());
                }
                Err(error) => return Err(refusal.unwrap_or(error)),
            }
        }
        (self.damaged, self.heard) = (0, false);
        Ok(())
    }

    /// The next answer in a frame.
    ///
    /// # Errors
    ///
    /// [`LineError::Silent`] after `deadline`, [`LineError::Broken`], and [`LineError::Refused`] where the
    /// board answers with an error.
    pub fn answer(&mut self, deadline: Instant) -> Result<Answer, BoardError> {
        loop {
            while let Some(piece) = self.piece() {
                match self.read(&piece)? {
                    Some(Answer::Error(message)) => return Err(self.refused(&message)),
                    Some(answer) => return Ok(answer),
                    None => {}
                }
            }
            self.check_refusal()?;
            self.receive(deadline)?;
        }
    }

    /// The next whole line of text that begins with `start`, without its checksum.
    ///
    /// # Errors
    ///
    /// As [`answer`](Self::answer).
    pub fn text(&mut self, start: &str, deadline: Instant) -> Result<String, BoardError> {
        loop {
            while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                let checked = strip_checksum(line.trim_end());
                if let Some(line) = checked.filter(|line| line.starts_with(start)) {
                    return Ok(line.into());
                }
            }
            self.receive(deadline)?;
        }
    }

    /// What came before the next zero, which ends a frame.
    fn piece(&mut self) -> Option<Vec<u8>> {
        let end = self.unread.iter().position(|byte| *byte == 0)?;
        let mut piece: Vec<u8> = self.unread.drain(..=end).collect();
        piece.pop();
        Some(piece)
    }

    fn read(&mut self, piece: &[u8]) -> Result<Option<Answer>, BoardError> {
        if piece.is_empty() {
            return Ok(None);
        }
        match Piece::of(piece) {
            Piece::Answer(answer) => Ok(Some(*answer)),
            Piece::Text(text) => self.refusal(text).map_or(Ok(None), Err),
            Piece::Damaged => {
                self.damaged += 1;
                Ok(None)
            }
        }
    }

    /// An error that came as text is not followed by a frame.
    fn check_refusal(&mut self) -> Result<(), BoardError> {
        let text = std::str::from_utf8(&self.unread).unwrap_or_default();
        if !text.ends_with('\n') {
            return Ok(());
        }
        match self.refusal(text) {
            Some(error) => {
                self.unread.clear();
                Err(error)
            }
            None => Ok(()),
        }
    }

    fn refusal(&self, text: &str) -> Option<BoardError> {
        let lines = text.lines().rev().filter_map(strip_checksum);
        let mut messages = lines.filter_map(|line| line.strip_prefix("error "));
        // The last is the answer to what was asked last.
        let message = messages.next()?;
        Some(self.refused(message))
    }

    fn refused(&self, message: &str) -> BoardError {
        BoardError::Line(LineError::Refused {
            name: self.name.clone(),
            message: message.into(),
        })
    }

    /// Waits for more bytes, until `deadline`.
    fn receive(&mut self, deadline: Instant) -> Result<(), BoardError> {
        let mut chunk = [0; 512];
        loop {
            // Also where bytes never cease to come, as of a board that runs something else.
            if Instant::now() >= deadline {
                return Err(self.silent());
            }
            match self.way.read(&mut chunk) {
                Ok(len) => {
                    self.heard = true;
                    self.unread.extend(&chunk[..len]);
                    let excess = self.unread.len().saturating_sub(MOST_UNREAD);
                    self.unread.drain(..excess);
                    return Ok(());
                }
                // A signal that is handled, as Ctrl-C is, interrupts the wait.
                Err(error)
                    if [ErrorKind::TimedOut, ErrorKind::Interrupted].contains(&error.kind()) => {}
                Err(source) => return Err(self.broken(source)),
            }
        }
    }

    /// Nothing that can be read came for too long: nothing at all, or what others say.
    fn silent(&self) -> BoardError {
        let name = self.name.clone();
        BoardError::Line(match self.heard {
            true => LineError::Foreign { name },
            false => LineError::Silent { name },
        })
    }

    fn broken(&mut self, source: io::Error) -> BoardError {
        if let Way::Emulated(machine) = &mut self.way
            && source.kind() == ErrorKind::UnexpectedEof
        {
            return machine.ended();
        }
        BoardError::Line(LineError::Broken {
            name: self.name.clone(),
            source,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BoardError> {
        let written = self.way.write(bytes);
        written.map_err(|source| self.broken(source))
    }
}

impl Way {
    /// Waits a moment for bytes; [`ErrorKind::TimedOut`] where none came.
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Serial(port) => port.read(bytes, MOMENT),
            Self::Emulated(machine) => machine.read(bytes, MOMENT),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Serial(port) => port.write(bytes),
            Self::Emulated(machine) => machine.write(bytes),
        }
    }
}

/// What lies between two zeros.
enum Piece<'p> {
    Answer(Box<Answer>),
    /// Lines between frames are not damaged frames.
    Text(&'p str),
    Damaged,
}

impl<'p> Piece<'p> {
    /// A frame's bytes may happen to be those of a line, so what is a frame is taken for one.
    fn of(bytes: &'p [u8]) -> Self {
        if let Ok(answer) = frame::decode(&mut bytes.to_vec()) {
            return Self::Answer(Box::new(answer));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if text.ends_with('\n') => Self::Text(text),
            _ => Self::Damaged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowlet_protocol::frame::{MAX_LEN, encode};

    /// The frame of a point of one dimension, without its zeros.
    fn frame_of(x: f32) -> Vec<u8> {
        let x = [x].into_iter().collect();
        let answer = Answer::Sample { x, log_prob: None };
        let mut buffer = [0; MAX_LEN];
        let [_, frame @ .., _] = encode(&answer, &mut buffer).unwrap() else {
            panic!("a frame has two zeros");
        };
        frame.to_vec()
    }

    #[test]
    fn a_frame_that_could_be_a_line_is_a_frame() {
        let frames = (0..1_000_000).map(|i| frame_of(1e-6 * i as f32));
        let mut like_lines =
            frames.filter(|frame| frame.ends_with(b"\n") && std::str::from_utf8(frame).is_ok());
        let frame = like_lines
            .next()
            .expect("of a million, some are like lines");
        assert!(matches!(Piece::of(&frame), Piece::Answer(_)));
    }

    #[test]
    fn lines_and_damaged_frames_are_told_apart() {
        let text = b"log: sampling\n";
        assert!(matches!(Piece::of(text), Piece::Text("log: sampling\n")));
        let mut frame = frame_of(0.5);
        frame[5] ^= 1;
        assert!(matches!(Piece::of(&frame), Piece::Damaged));
    }
}
