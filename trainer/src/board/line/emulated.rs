//! A sampler in QEMU that goes on answering.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

use super::super::emulated_link::EmulatedLink;
use super::super::firmware::Chosen;
use super::super::fit::{check_fit, image};
use super::super::link::{Link as _, Received};
use super::super::log::{Log, LogFile};
use super::super::{Board, BoardError, emulator};
use crate::error::Error;
use crate::model_file::ModelFile;

/// The machine; it ends with its line.
#[derive(Debug)]
pub(super) struct Machine {
    board: Board,
    link: EmulatedLink,
    /// What came and was not taken.
    rest: Vec<u8>,
    /// Ends after the machine.
    _log: Option<LogFile>,
    /// The models, which QEMU reads when it starts.
    _image: NamedTempFile,
    _program: Chosen,
}

impl Machine {
    pub(super) fn start(
        board: Board,
        file: &ModelFile,
        program: Option<&Path>,
        log: Option<&Log>,
    ) -> Result<Self, Error> {
        check_fit(board, &[file])?;
        board.machine()?.emulator.check()?;
        let program = Chosen::with_log(board, "sampler", program, log)?;
        let log = LogFile::of(log, &program.path())?;
        let image = emulator::place(&image(&[file]))?;
        let image_path = Some(image.path());
        let (path, log_file) = (program.path(), log.as_ref());
        let mut command = emulator::semihosting(board, &path, image_path, &[], log_file)?;
        command.args(emulator::COUNTING);
        let link = EmulatedLink::start(&mut command);
        Ok(Self {
            board,
            link: link.map_err(|source| emulator::no_start(board, source))?,
            rest: vec![],
            _log: log,
            _image: image,
            _program: program,
        })
    }

    /// Waits for bytes; [`ErrorKind::TimedOut`] where none came for so long.
    pub(super) fn read(&mut self, bytes: &mut [u8], patience: Duration) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = match self.link.receive(patience)? {
                Received::Bytes(chunk) => chunk,
                Received::Silence => return Err(ErrorKind::TimedOut.into()),
                Received::End => return Err(ErrorKind::UnexpectedEof.into()),
            };
        }
        let len = bytes.len().min(self.rest.len());
        bytes[..len].copy_from_slice(&self.rest[..len]);
        self.rest.drain(..len);
        Ok(len)
    }

    /// Why nothing more comes.
    pub(super) fn ended(&mut self) -> BoardError {
        self.link.ended(self.board)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.link.send(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::firmware;
    use super::super::{Line, Way};
    use super::*;

    static MOONS: &[u8] = include_bytes!("../../../../runtime/src/moons.flow");

    fn start(program: Option<&Path>) -> Machine {
        let file = ModelFile::from_bytes("moons", MOONS);
        Machine::start(Board::QemuM4, &file, program, None).unwrap()
    }

    #[track_caller]
    fn assert_tells(machine: Machine, text: &str) {
        let mut line = Line::new(Way::Emulated(Box::new(machine)), "qemu-m4");
        let error = line.begin(Duration::from_secs(60)).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }

    #[test]
    fn a_program_that_ends_is_told_as_that() {
        let program = firmware::build(Board::QemuM4, "failures", None).unwrap();
        let machine = start(Some(&program.path()));
        assert_tells(machine, "error: name a way to fail");

        let mut machine = start(None);
        machine.link.close();
        // The sampler has an end of its input then, and ends well.
        while machine.read(&mut [0], Duration::from_secs(60)).is_ok() {}
        let mut line = Line::new(Way::Emulated(Box::new(machine)), "qemu-m4");
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        let error = line.answer(deadline).unwrap_err().to_string();
        assert!(error.contains("before it had answered"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_end_of_qemu_is_told_as_that() {
        let mut machine = start(None);
        machine.link.kill().unwrap();
        assert_tells(machine, "QEMU was ended by the system");
    }
}
