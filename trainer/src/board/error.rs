//! What can go wrong between a model and a board.

use std::io;

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
    /// Model and program together are larger than the flash.
    #[error(
        "the model's {model_len} bytes and the program's {code_len} are more than the {flash_len} bytes of flash of {board}: train smaller nets or choose another board"
    )]
    TooLarge {
        /// The board.
        board: Board,
        /// Bytes of the model.
        model_len: usize,
        /// Bytes of the program.
        code_len: usize,
        /// Bytes of flash.
        flash_len: usize,
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
