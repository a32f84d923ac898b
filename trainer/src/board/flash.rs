//! Programs and models onto boards of silicon, by the tools that are the custom there.
//!
//! The tools are commands, not libraries: probe-rs alone would bring some 300 packages, each of which would
//! have to build wherever flowlet does, while who has such a board has its tool, with the drivers and rules
//! that it needs. What a command says is told in one sentence, by [`FlashError`].

mod error;
mod espflash;
mod pico;
mod probe_rs;
mod program;
mod rtt;
mod said;
mod uf2;

use std::path::{Path, PathBuf};

use super::example::{Part, parts};
use super::firmware::{self, Chosen};
use super::fit::check_fit;
use super::{Board, BoardError, Example, Level};
use crate::error::Error;
use crate::model_file::ModelFile;

pub use error::FlashError;
pub use rtt::Rtt;

/// What puts programs on a board.
#[derive(Debug)]
pub(super) enum Tool {
    /// probe-rs, by a debug probe.
    ProbeRs(Chip),
    /// A UF2 file, on the drive of the chip's bootloader or by picotool; by probe-rs where a probe is named.
    Uf2(Chip),
    /// espflash, by a serial port.
    Espflash {
        /// What espflash calls the chip.
        chip: &'static str,
    },
}

/// A chip that a probe is connected to.
#[derive(Debug)]
pub(super) struct Chip {
    /// What probe-rs calls it.
    pub(super) name: &'static str,
    /// What tells the chip from others.
    pub(super) id: Register,
    /// What tells that its flash may be written, where probe-rs does not find out itself.
    pub(super) unlocked: Option<Register>,
}

/// What some bits in memory should be.
#[derive(Debug)]
pub(super) struct Register {
    pub(super) address: u32,
    pub(super) mask: u32,
    pub(super) value: u32,
}

impl Tool {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::ProbeRs(_) => probe_rs::NAME,
            Self::Uf2(_) => "a UF2 file",
            Self::Espflash { .. } => espflash::NAME,
        }
    }

    /// What probe-rs calls the chip.
    fn probed_chip(&self) -> &'static str {
        match self {
            Self::ProbeRs(chip) | Self::Uf2(chip) => chip.name,
            Self::Espflash { chip } => chip,
        }
    }

    /// Finds out whether it is there, before a build is spent on it.
    pub(super) fn check(&self) -> Result<(), BoardError> {
        match self {
            Self::ProbeRs(_) => probe_rs::check(),
            Self::Uf2(_) => pico::check(),
            Self::Espflash { .. } => espflash::check(),
        }
    }
}

/// Which of the boards on the desk, where there is more than one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The debug probe, as probe-rs has it: `VID:PID` or `VID:PID:SERIAL`.
    pub probe: Option<String>,
    /// The serial port, of boards that are flashed by it.
    pub port: Option<String>,
    /// Where the drive of a Pico's bootloader is mounted.
    pub drive: Option<PathBuf>,
    /// A UF2 file to write, instead of flashing a Pico.
    pub file: Option<PathBuf>,
}

/// What is to be flashed.
#[derive(Clone, Debug)]
pub struct Flash<'f> {
    /// The board.
    pub board: Board,
    /// The models, one after another.
    pub files: &'f [&'f ModelFile],
    /// What a program that is not built here is, if that is known: what is checked, and what else than models is
    /// written.
    pub example: Option<Example>,
    /// The program.
    pub firmware: Firmware<'f>,
    /// What firmware that is built logs, and where its ELF file is kept, which has the log's texts.
    pub log: Option<(Level, &'f Path)>,
    /// Where the board is.
    pub place: Place,
}

/// The program that reads the models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware<'f> {
    /// An example of this checkout, which is built.
    Built(Example),
    /// An ELF file.
    Given(&'f Path),
    /// What is on the board already.
    Kept,
}

/// How far flashing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The firmware is being built.
    Building,
    /// The board is being written.
    Writing,
}

/// What is written, all checked.
struct Load<'l> {
    board: Board,
    /// The ELF file, if there is one.
    program: Option<&'l Path>,
    /// The models and what goes with them.
    parts: &'l [Part],
    place: &'l Place,
}

/// What probe-rs calls the chip of a board of silicon.
pub fn probed_chip(board: Board) -> Option<&'static str> {
    board.tool().ok().map(Tool::probed_chip)
}

/// Writes firmware and models, or models alone, to a board, and starts it.
///
/// All that can be checked is checked before anything is written: that the models are some, that they fit the
/// board and the example, and that the firmware is for the board.
///
/// # Errors
///
/// [`Error::Model`] where a file is no model, or one of another version; [`Error::Board`] with what does not
/// fit, is missing or went wrong; [`Error::Io`] where a file cannot be read or written.
pub fn flash(flash: &Flash<'_>, progress: &mut dyn FnMut(Step)) -> Result<(), Error> {
    let board = flash.board;
    let tool = board.tool()?;
    check_place(board, tool, &flash.place)?;
    let example = match flash.firmware {
        Firmware::Built(example) => Some(example),
        Firmware::Given(_) | Firmware::Kept => flash.example,
    };
    match example {
        Some(example) => example.check(board, flash.files)?,
        None => check_fit(board, flash.files)?,
    }
    check_tool(tool, &flash.place)?;
    if let Firmware::Built(_) = flash.firmware {
        progress(Step::Building);
    }
    let program = chosen(flash)?;
    let path = program.as_ref().map(Chosen::path);
    if let Some(path) = &path {
        program::check(board, path)?;
    }
    let load = Load {
        board,
        program: path.as_deref(),
        parts: &parts(example, board, flash.files),
        place: &flash.place,
    };
    progress(Step::Writing);
    match tool {
        Tool::ProbeRs(chip) => probe_rs::write(chip, &load),
        Tool::Uf2(chip) if load.place.probe.is_some() => probe_rs::write(chip, &load),
        Tool::Uf2(_) => pico::write(&load),
        Tool::Espflash { chip } => espflash::write(chip, &load),
    }?;
    // Only now, for until then an earlier one has the texts of what is on the board.
    match (flash.log, &program) {
        (Some((_, path)), Some(Chosen::Built(program))) => program.keep(path),
        _ => Ok(()),
    }
}

/// That no place is named that the board is not flashed by.
fn check_place(board: Board, tool: &Tool, place: &Place) -> Result<(), BoardError> {
    let is_pico = matches!(tool, Tool::Uf2(_));
    let is_probed = !matches!(tool, Tool::Espflash { .. });
    let wrong = [
        ("--probe", place.probe.is_some() && !is_probed),
        ("--port", place.port.is_some() && is_probed),
        ("--drive", place.drive.is_some() && !is_pico),
        ("--output", place.file.is_some() && !is_pico),
    ];
    match wrong.into_iter().find(|(_, is_wrong)| *is_wrong) {
        Some((option, _)) => Err(BoardError::NotBy {
            board,
            option,
            tool: tool.name(),
        }),
        None => Ok(()),
    }
}

/// Whether the tool is there, if it is needed.
fn check_tool(tool: &Tool, place: &Place) -> Result<(), BoardError> {
    match tool {
        Tool::Uf2(_) if place.probe.is_some() => probe_rs::check(),
        // A file or a drive needs no tool, and which of both there is may change during the build.
        Tool::Uf2(_) => Ok(()),
        tool => tool.check(),
    }
}

/// The program to write, built if need be.
fn chosen(flash: &Flash<'_>) -> Result<Option<Chosen>, Error> {
    match flash.firmware {
        Firmware::Kept => Ok(None),
        Firmware::Given(path) => Chosen::given(path).map(Some),
        Firmware::Built(example) => {
            let (board, name) = (flash.board, example.name());
            let program = match flash.log {
                None => firmware::build(board, name, None)?,
                Some((level, _)) => firmware::build_logging(board, name, level)?,
            };
            Ok(Some(Chosen::Built(program)))
        }
    }
}
