//! The example `update` in QEMU, with a flash that outlives it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flowlet_protocol::{Command, Form};

use super::super::emulated_link::EmulatedLink;
use super::super::error::tail;
use super::super::link::{Link, Received};
use super::super::log::{Log, LogFile};
use super::super::request::time_limit;
use super::super::{Board, BoardError, BoardRun, Request, emulator, transcript};
use super::UpdateError;
use crate::error::Error;
use crate::model_file::ModelFile;

/// The flash's file in its folder.
const FLASH: &str = "flash.bin";

/// How long a program takes at most to end after its input, on a busy machine.
const TO_END: Duration = Duration::from_secs(60);

/// How long the power of a board lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// To the end.
    Endless,
    /// For so many writes of a word and erasures of a page.
    Writes(u32),
}

/// A running board.
#[derive(Debug)]
pub struct Session {
    board: Board,
    link: EmulatedLink,
    /// Ends after the board.
    _log: Option<LogFile>,
}

impl Session {
    /// Lays `flash` into `folder`, where the board finds it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn place(folder: &Path, flash: &[u8]) -> Result<(), Error> {
        let path = folder.join(FLASH);
        fs::write(&path, flash).map_err(io("write to", path))
    }

    /// What `folder` has of the flash.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn flash(folder: &Path) -> Result<Vec<u8>, Error> {
        let path = folder.join(FLASH);
        fs::read(&path).map_err(io("read", path))
    }

    /// Starts `program` on `board` with the flash in `folder`, to which every write goes.
    ///
    /// # Errors
    ///
    /// [`Error::Board`] where QEMU does not start, [`Error::Io`] where there is no program.
    pub fn start(board: Board, program: &Path, folder: &Path, power: Power) -> Result<Self, Error> {
        Self::start_logging(board, program, folder, power, None)
    }

    /// [`start`](Self::start), with the log of a program that has one.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and [`Error::Board`] where the program logs nothing.
    pub fn start_logging(
        board: Board,
        program: &Path,
        folder: &Path,
        power: Power,
        log: Option<&Log>,
    ) -> Result<Self, Error> {
        let mut arguments = vec![format!("flash={FLASH}")];
        if let Power::Writes(count) = power {
            arguments.push(format!("cut={count}"));
        }
        let log = log.map(|log| LogFile::in_folder(log, program, folder));
        let log = log.transpose()?;
        let flash = Some(Path::new(FLASH));
        let mut command = emulator::semihosting(board, program, flash, &arguments, log.as_ref())?;
        command.current_dir(folder).args(emulator::COUNTING);
        let link = EmulatedLink::start(&mut command);
        let link = link.map_err(|error| emulator::no_start(board, error))?;
        Ok(Self {
            board,
            link,
            _log: log,
        })
    }

    /// The line to it.
    pub fn link(&mut self) -> &mut impl Link {
        &mut self.link
    }

    /// Samples of the active model, read as those of `file`.
    ///
    /// # Errors
    ///
    /// [`Error::Board`] where it ends, is silent, or says something else.
    pub fn sample(&mut self, file: &ModelFile, request: &Request) -> Result<BoardRun, Error> {
        let model = file.model()?;
        let draw = request.draw(&model, Form::Text)?;
        let limit = time_limit(self.board, &model, request);
        let text = self.ask(&Command::Sample(draw), limit)?;
        Ok(transcript::parse(self.board, text, &model, request.n)?)
    }

    /// All lines that answer a command.
    ///
    /// # Errors
    ///
    /// [`Error::Board`] where the board ends or is silent.
    pub fn ask(&mut self, command: &Command, limit: Duration) -> Result<String, Error> {
        let line = format!("{command}\n");
        let sent = self.link.send(line.as_bytes());
        sent.map_err(|error| emulator::no_start(self.board, error))?;
        self.lines(limit)
    }

    /// Ends the input, and the program with it.
    ///
    /// # Errors
    ///
    /// [`Error::Board`] where it does not end well.
    pub fn end(mut self) -> Result<(), Error> {
        self.link.close();
        loop {
            match self.link.receive(TO_END) {
                Ok(Received::Bytes(_)) => {}
                Ok(Received::Silence) => return Err(self.time_limit(TO_END)),
                Ok(Received::End) | Err(_) => break,
            }
        }
        match self.link.ended(self.board) {
            BoardError::Ended { .. } => Ok(()),
            error => Err(error.into()),
        }
    }

    /// Ends it at once, as a power cut does.
    ///
    /// # Errors
    ///
    /// [`Error::Board`] where the system does not let it.
    pub fn kill(mut self) -> Result<(), Error> {
        let killed = self.link.kill();
        killed.map_err(|error| emulator::no_start(self.board, error))?;
        Ok(())
    }

    /// Lines up to one that ends an answer.
    fn lines(&mut self, limit: Duration) -> Result<String, Error> {
        let deadline = Instant::now() + limit;
        let mut text = Vec::new();
        while !is_answer(&text) {
            let time = deadline.saturating_duration_since(Instant::now());
            match self.link.receive(time) {
                Ok(Received::Bytes(bytes)) => {
                    text.extend(bytes);
                    // A frame is no line: it is a reply to a request that came twice.
                    let zero = text.iter().rposition(|byte| *byte == 0);
                    text.drain(..zero.map_or(0, |zero| zero + 1));
                }
                Ok(Received::Silence) => return Err(self.time_limit(limit)),
                Ok(Received::End) | Err(_) => return Err(self.link.ended(self.board).into()),
            }
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Why an update failed; of a program that has ended, how it did.
    pub(super) fn reason(&mut self, error: UpdateError) -> Error {
        match error {
            UpdateError::End => self.link.ended(self.board).into(),
            error => error.into(),
        }
    }

    fn time_limit(&self, limit: Duration) -> Error {
        Error::Board(BoardError::TimeLimit {
            board: self.board,
            seconds: limit.as_secs_f64(),
            tail: tail(&String::from_utf8_lossy(self.link.heard())),
        })
    }
}

/// Whether the text's last line is whole and one that ends an answer.
fn is_answer(text: &[u8]) -> bool {
    let Some(text) = text.strip_suffix(b"\n") else {
        return false;
    };
    let start = text.iter().rposition(|byte| *byte == b'\n');
    let line = &text[start.map_or(0, |start| start + 1)..];
    ["done ", "digest ", "model ", "help ", "error "]
        .iter()
        .any(|word| line.starts_with(word.as_bytes()))
}

fn io(action: &'static str, path: PathBuf) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::firmware;
    use super::super::{Patience, flash_with, send};
    use super::*;
    use tempfile::TempDir;

    static MOONS: &[u8] = include_bytes!("../../../../runtime/src/moons.flow");
    /// Far longer than any of these take.
    const LIMIT: Duration = Duration::from_secs(60);

    /// A board, and what goes with it when it is done.
    fn start(example: &str) -> (Session, (TempDir, firmware::Program)) {
        let board = Board::QemuM4;
        let folder = tempfile::tempdir().unwrap();
        let flash = flash_with(board, &ModelFile::from_bytes("moons", MOONS)).unwrap();
        Session::place(folder.path(), &flash).unwrap();
        let program = firmware::build(board, example, None).unwrap();
        let session = Session::start(board, &program.path(), folder.path(), Power::Endless);
        (session.unwrap(), (folder, program))
    }

    #[track_caller]
    fn assert_tells(error: &Error, text: &str) {
        let error = error.to_string();
        assert!(error.contains(text), "{error}");
    }

    #[test]
    fn a_program_that_ends_too_early_is_told_as_that() {
        let (mut session, _place) = start("update");
        session.link.close();
        let error = session.lines(LIMIT).unwrap_err();
        assert_tells(&error, "ended on qemu-m4 before it had answered");

        let (mut session, _place) = start("failures");
        let error = session.ask(&Command::Model, LIMIT).unwrap_err();
        assert_tells(&error, "the firmware failed on qemu-m4");
        assert_tells(&error, "error: name a way to fail");
    }

    #[cfg(unix)]
    #[test]
    fn the_end_of_qemu_is_told_as_that() {
        let (mut session, _place) = start("update");
        session.link.kill().unwrap();
        let error = session.lines(LIMIT).unwrap_err();
        assert_tells(&error, "QEMU was ended by the system");
        let sent = send(session.link(), MOONS, Patience::default(), &mut |_| {});
        let error = session.reason(sent.unwrap_err());
        assert_tells(&error, "QEMU was ended by the system");
    }
}
