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

use super::{Board, BoardError};
use crate::error::Error;
use crate::model_file::ModelFile;

pub use error::LineError;
pub use serial::{BAUD_RATE, ports};

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
    Emulated(emulated::Machine),
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
    pub fn emulate(board: Board, file: &ModelFile, program: Option<&Path>) -> Result<Self, Error> {
        let machine = emulated::Machine::start(board, file, program)?;
        Ok(Self::new(Way::Emulated(machine), board.name()))
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
    /// does, and [`LineError::Refused`] where the board answers with an error alone.
    pub fn begin(&mut self, patience: Duration) -> Result<(), BoardError> {
        let mut nothing = flowlet_protocol::Draw::new(0);
        nothing.form = flowlet_protocol::Form::Frames;
        self.write(b"\n")?;
        self.send(&Command::Sample(nothing))?;
        let deadline = Instant::now() + patience;
        let mut refusal = None;
        loop {
            match self.answer(deadline) {
                Ok(Answer::Done { count: 0, .. }) => break,
                // What was asked for by others may still arrive before.
                Ok(_) => {}
                Err(error @ BoardError::Line(LineError::Refused { .. })) => refusal = Some(error),
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
                match self.read(piece)? {
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

    fn read(&mut self, mut piece: Vec<u8>) -> Result<Option<Answer>, BoardError> {
        if piece.is_empty() {
            return Ok(None);
        }
        // Lines between frames are not damaged frames.
        if let Ok(text) = std::str::from_utf8(&piece)
            && text.ends_with('\n')
        {
            return self.refusal(text).map_or(Ok(None), Err);
        }
        match frame::decode(&mut piece) {
            Ok(answer) => Ok(Some(answer)),
            Err(_) => {
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
        let mut lines = text.lines().filter_map(strip_checksum);
        let message = lines.find_map(|line| line.strip_prefix("error "))?;
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
            let received = match &mut self.way {
                Way::Serial(port) => port.read(&mut chunk, MOMENT),
                Way::Emulated(machine) => machine.read(&mut chunk, MOMENT),
            };
            match received {
                Ok(len) => {
                    self.heard = true;
                    self.unread.extend(&chunk[..len]);
                    let excess = self.unread.len().saturating_sub(MOST_UNREAD);
                    self.unread.drain(..excess);
                    return Ok(());
                }
                // A signal that is handled, as Ctrl-C is, interrupts the wait.
                Err(error)
                    if [ErrorKind::TimedOut, ErrorKind::Interrupted].contains(&error.kind()) =>
                {
                    if Instant::now() >= deadline {
                        return Err(self.silent());
                    }
                }
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

    fn broken(&self, source: io::Error) -> BoardError {
        BoardError::Line(LineError::Broken {
            name: self.name.clone(),
            source,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BoardError> {
        let written = match &mut self.way {
            Way::Serial(port) => port.write(bytes),
            Way::Emulated(machine) => machine.write(bytes),
        };
        written.map_err(|source| self.broken(source))
    }
}
