//! What can go wrong between a model and a board.

use std::io;
use std::path::PathBuf;

use super::Board;

/// Why a board gave no samples.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// No board has this name.
    #[error("there is no board {name:?}: choose {}", names())]
    Unknown {
        /// The name.
        name: String,
    },
    /// The checkout that this crate was built in is not there, or there was none.
    #[error(
        "the firmware's source is not at {folder}: install flowlet from a checkout that stays where it is"
    )]
    NoSource {
        /// Where it was when this crate was built.
        folder: String,
    },
    /// The firmware that is given is not there.
    #[error(
        "there is no firmware at {}: give an ELF file, or leave out --firmware to have it built",
        path.display()
    )]
    NoProgram {
        /// Where it should be.
        path: PathBuf,
    },
    /// Rust has no libraries for the board.
    #[error("Rust's target {target} is missing: type `rustup target add {target}`")]
    NoTarget {
        /// The target.
        target: &'static str,
    },
    /// QEMU is not installed.
    #[error("{emulator} is missing: type `{command}`")]
    NoEmulator {
        /// The program.
        emulator: &'static str,
        /// What installs it.
        command: String,
    },
    /// A program is there but does not start.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The model takes another number of context numbers.
    #[error(
        "the model takes {expected} context numbers, {found} are given: give them with --context"
    )]
    Context {
        /// The model's.
        expected: usize,
        /// Those given.
        found: usize,
    },
    /// A context number is NaN or infinite.
    #[error("context number {} is NaN or infinite: give a finite one", index + 1)]
    NotFinite {
        /// Which, from 0.
        index: usize,
    },
    /// The models are larger than the flash for them.
    #[error(
        "the model's {model_len} bytes are {} bytes too many for the {region_len} bytes of flash that {board} has for models: train smaller nets or store them in int8; {others}",
        model_len - region_len
    )]
    TooLarge {
        /// The board.
        board: Board,
        /// Bytes of the models.
        model_len: usize,
        /// Bytes for them.
        region_len: usize,
        /// What would do.
        others: String,
    },
    /// The file is larger than one of two slots.
    #[error(
        "the model's {file_len} bytes are {} bytes too many for a slot of {board}, {slot_len} bytes: train smaller nets or store them in int8",
        file_len - slot_len
    )]
    TooLargeForSlot {
        /// The board.
        board: Board,
        /// Bytes of the file.
        file_len: usize,
        /// Bytes for it.
        slot_len: usize,
    },
    /// The model needs more RAM than there is.
    #[error(
        "a firmware that samples the model takes {needed} bytes of RAM, {} bytes too many for the {found} of {board}: train narrower nets; {others}",
        needed - found
    )]
    NoRam {
        /// The board.
        board: Board,
        /// Bytes of RAM, stack and scratch included.
        needed: usize,
        /// Bytes of the board.
        found: usize,
        /// What would do.
        others: String,
    },
    /// The firmware does not compile.
    #[error("cannot build the firmware for {board}; cargo says:\n{message}")]
    Build {
        /// The board.
        board: Board,
        /// Cargo's standard error.
        message: String,
    },
    /// The firmware reported an error, panicked or faulted.
    #[error("the firmware failed on {board} ({status}); its last lines:\n{tail}")]
    Failed {
        /// The board.
        board: Board,
        /// How the emulator ended.
        status: std::process::ExitStatus,
        /// The transcript's end.
        tail: String,
    },
    /// The firmware did not end.
    #[error(
        "the firmware was still running on {board} after {seconds} s and was stopped: ask for fewer samples or steps; its last lines:\n{tail}"
    )]
    TimeLimit {
        /// The board.
        board: Board,
        /// The limit.
        seconds: f64,
        /// The transcript's end.
        tail: String,
    },
    /// The firmware answered with an error.
    #[error("the firmware on {board} says: {message}")]
    Refused {
        /// The board.
        board: Board,
        /// What it said.
        message: String,
    },
    /// The firmware succeeded but did not say what it should.
    #[error("the firmware's samples cannot be read: {problem}; its last lines:\n{tail}")]
    Transcript {
        /// What is wrong.
        problem: String,
        /// The transcript's end.
        tail: String,
    },
}

fn names() -> String {
    let [first @ .., last] = Board::ALL.map(Board::name);
    format!("{} or {last}", first.join(", "))
}

/// The end of a transcript, as much as a person reads.
pub(super) fn tail(transcript: &str) -> String {
    const LINES: usize = 10;
    let mut lines: Vec<_> = transcript.lines().rev().take(LINES).collect();
    if lines.is_empty() {
        lines.push("(none)");
    }
    lines.reverse();
    lines.join("\n")
}
