//! What can go wrong between a model and a board.

use std::io;
use std::path::PathBuf;

use super::{Board, FlashError, LineError};

/// Why a board gave no samples, or took no program.
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
    /// The firmware that is given logs nothing.
    #[error(
        "the firmware {} was built without defmt and logs nothing: give one that `flowlet flash --log` kept or that was built with `--features BOARD,defmt`, or leave out --log",
        path.display()
    )]
    NoLog {
        /// The file.
        path: PathBuf,
    },
    /// The firmware that is given logs in another way.
    #[error(
        "what the firmware {} logs cannot be read, since {problem}: build it from this release, or leave out --log",
        path.display()
    )]
    ForeignLog {
        /// The file.
        path: PathBuf,
        /// What it has instead.
        problem: String,
    },
    /// Rust has no libraries for the board.
    #[error("Rust's target {target} is missing: type `rustup target add {target}`")]
    NoTarget {
        /// The target.
        target: &'static str,
    },
    /// QEMU, or a tool that flashes boards, is not installed.
    #[error("{tool} is missing: type `{command}`")]
    NoTool {
        /// The program.
        tool: &'static str,
        /// What installs it.
        command: String,
    },
    /// The board is one of silicon.
    #[error(
        "{board} is a board of silicon, which QEMU does not play: write the model to it by `flowlet flash`, then see it by `flowlet monitor --port`"
    )]
    NotEmulated {
        /// The board.
        board: Board,
    },
    /// The board is one of QEMU's.
    #[error(
        "{board} is emulated and has no flash to keep: QEMU takes the model by `flowlet run FILE --board {board}`"
    )]
    Emulated {
        /// The board.
        board: Board,
    },
    /// An option is for boards that are flashed in another way.
    #[error("{option} is not for {board}, which is flashed by {tool}: leave it out")]
    NotBy {
        /// The board.
        board: Board,
        /// The option.
        option: &'static str,
        /// What flashes the board.
        tool: &'static str,
    },
    /// The firmware that is given is none for the board.
    #[error(
        "{} is no firmware for {board}: give an ELF file that is, or leave out --firmware to have it built",
        path.display()
    )]
    ForeignProgram {
        /// The board.
        board: Board,
        /// The file.
        path: PathBuf,
    },
    /// The firmware is larger than the flash before the models.
    #[error(
        "the firmware's {len} bytes are {} bytes too many for the {room} bytes of flash that {board} has before its models: build it for size, or leave out what it does not need",
        len - room
    )]
    LargeProgram {
        /// The board.
        board: Board,
        /// Bytes of the firmware.
        len: u64,
        /// Bytes for it.
        room: u64,
    },
    /// The board was not flashed.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// Nothing came over the line to the board.
    #[error(transparent)]
    Line(#[from] LineError),
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
    /// The model is not one of a motion sensor's windows.
    #[error(
        "the detector's windows have 6 features and no context, the model reads {} numbers and {} of context: train one on windows",
        found[0], found[1]
    )]
    NoWindows {
        /// The model's dimensions and context numbers.
        found: [usize; 2],
    },
    /// The model does not say what is strange.
    #[error("the model has no threshold: store one by `flowlet calibrate FILE.flow NORMAL.csv`")]
    NoThreshold,
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
        "the model's {file_len} bytes are {} bytes too many for a slot of {board}, {slot_len} bytes: train smaller nets or store them in int8; {others}",
        file_len - slot_len
    )]
    TooLargeForSlot {
        /// The board.
        board: Board,
        /// Bytes of the file.
        file_len: usize,
        /// Bytes for it.
        slot_len: usize,
        /// What would do.
        others: String,
    },
    /// The firmware `update` has a fixed place for intermediate results, which is too small for the model.
    #[error(
        "the model takes {needed} words of scratch, {} words too many for the {found} of the firmware `update`: train narrower nets, or flash another example",
        needed - found
    )]
    NoScratch {
        /// Words of the model.
        needed: usize,
        /// Words of the firmware.
        found: usize,
    },
    /// The example is not built for the board.
    #[error("there is no example `{example}` for {board}: it is for {others}")]
    NoExample {
        /// The board.
        board: Board,
        /// The example.
        example: &'static str,
        /// The boards that it is for.
        others: String,
    },
    /// The example is for one model.
    #[error("the {example} takes one model: add `--example compare`, or leave out the others")]
    OneModel {
        /// The example.
        example: &'static str,
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
    /// QEMU was ended from outside.
    #[error(
        "QEMU was ended by the system while it played {board} ({status}), as where memory runs out: close other programs and begin again; its last lines:\n{tail}"
    )]
    Killed {
        /// The board.
        board: Board,
        /// How the emulator ended.
        status: std::process::ExitStatus,
        /// The transcript's end.
        tail: String,
    },
    /// QEMU itself crashed.
    #[error(
        "QEMU crashed while it played {board} ({status}): begin again, and where it crashes again, install another version of it; its last lines:\n{tail}"
    )]
    Crashed {
        /// The board.
        board: Board,
        /// How the emulator ended.
        status: std::process::ExitStatus,
        /// The transcript's end.
        tail: String,
    },
    /// The firmware ended well, and too early.
    #[error(
        "the firmware ended on {board} before it had answered: leave out --firmware to have the right one built; its last lines:\n{tail}"
    )]
    Ended {
        /// The board.
        board: Board,
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

/// Why an emulator ended otherwise than well, by itself or not.
pub(super) fn failed(board: Board, status: std::process::ExitStatus, tail: String) -> BoardError {
    // QEMU aborts by itself where a core can't even fault.
    if status.code().is_some() || tail.contains("qemu: fatal: Lockup") {
        return BoardError::Failed {
            board,
            status,
            tail,
        };
    }
    match is_kill(status) {
        true => BoardError::Killed {
            board,
            status,
            tail,
        },
        false => BoardError::Crashed {
            board,
            status,
            tail,
        },
    }
}

/// Whether it was ended by others, and not by a fault of its own.
#[cfg(unix)]
fn is_kill(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;

    /// SIGHUP, SIGINT, SIGKILL and SIGTERM, whose numbers all systems share.
    const KILLS: [i32; 4] = [1, 2, 9, 15];
    status
        .signal()
        .is_some_and(|signal| KILLS.contains(&signal))
}

/// There are no signals.
#[cfg(not(unix))]
fn is_kill(_: std::process::ExitStatus) -> bool {
    false
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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    #[test]
    fn a_crash_of_the_emulator_is_no_end_by_the_system() {
        let failed = |status| failed(Board::QemuM4, ExitStatus::from_raw(status), String::new());
        assert!(matches!(failed(1 << 8), BoardError::Failed { .. }));
        for signal in [9, 15] {
            assert!(matches!(failed(signal), BoardError::Killed { .. }));
        }
        // SIGABRT and SIGSEGV.
        for signal in [6, 11] {
            assert!(matches!(failed(signal), BoardError::Crashed { .. }));
        }
    }
}
