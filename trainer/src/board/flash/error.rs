//! What can go wrong between this computer and a board on its desk.

use std::path::PathBuf;

use super::super::Board;
use super::super::line::there_are;

/// Why a board was not flashed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlashError {
    /// There is no debug probe.
    #[error(
        "no debug probe is connected: plug in the USB cable of {board}'s debugger; \
         on Linux it may lack its udev rules, see https://probe.rs/docs/getting-started/probe-setup"
    )]
    NoProbe {
        /// The board.
        board: Board,
    },
    /// The probe that is asked for is not there.
    #[error("the debug probe {probe} is not connected: `probe-rs list` tells those that are")]
    NotThatProbe {
        /// What was asked for.
        probe: String,
    },
    /// There is more than one debug probe.
    #[error("{} debug probes are connected: choose one with --probe: {}", probes.len(), probes.join(", "))]
    ManyProbes {
        /// What each is called, with its name for `--probe`.
        probes: Vec<String>,
    },
    /// Another program has the probe.
    #[error(
        "another program uses the debug probe: close it, a debugger or `probe-rs` for instance"
    )]
    ProbeBusy,
    /// The user may not use the probe.
    #[error(
        "the debug probe cannot be opened: on Linux install its udev rules, on Windows its driver, \
         see https://probe.rs/docs/getting-started/probe-setup"
    )]
    ProbeDenied,
    /// The probe finds no chip.
    #[error(
        "the debug probe finds no chip: check that {board} has power, and the cable between probe and chip"
    )]
    NoChip {
        /// The board.
        board: Board,
    },
    /// The cable was unplugged.
    #[error(
        "the connection to {board} broke, as when a cable is unplugged: plug it in and flash again"
    )]
    Unplugged {
        /// The board.
        board: Board,
    },
    /// The chip does not let anyone read or write its flash.
    #[error("the chip of {board} is locked against reading and writing: {advice}")]
    Locked {
        /// The board.
        board: Board,
        /// How to unlock it.
        advice: String,
    },
    /// The chip is another one.
    #[error(
        "the chip is not that of {board}: {found}; connect {board}, or choose the --board that is connected"
    )]
    WrongChip {
        /// The board.
        board: Board,
        /// What there is.
        found: String,
    },
    /// There is no serial port.
    #[error("no serial port is connected: plug in {board}'s USB cable, one that carries data")]
    NoPort {
        /// The board.
        board: Board,
    },
    /// It is not clear which serial port is the board's.
    #[error(
        "choose the serial port of {board} with --port: {}",
        there_are(ports, "there is none that this computer can list")
    )]
    ManyPorts {
        /// The board.
        board: Board,
        /// The ports that there are.
        ports: Vec<String>,
    },
    /// The bootloader does not answer.
    #[error(
        "{board} does not answer: hold its BOOT button while you plug it in, let go, and flash again"
    )]
    NoAnswer {
        /// The board.
        board: Board,
    },
    /// The Pico is not in its bootloader.
    #[error(
        "no Pico waits for a program: hold its BOOTSEL button while you plug it in, \
         or write a file with -o FILE.uf2 and copy it later"
    )]
    NoDrive,
    /// More than one Pico is in its bootloader.
    #[error("{} drives wait for a program: choose one with --drive: {}", drives.len(), drives.join(", "))]
    ManyDrives {
        /// Where they are mounted.
        drives: Vec<String>,
    },
    /// The drive went away during the copy.
    #[error(
        "the drive of {board} went away before it had all: hold its BOOTSEL button while you plug it in, and flash again"
    )]
    DriveGone {
        /// The board.
        board: Board,
    },
    /// picotool sees more than one Pico.
    #[error(
        "more than one Pico waits for a program: unplug the others, or mount a drive and name it by --drive"
    )]
    ManyPicos,
    /// The folder is no drive of a bootloader.
    #[error(
        "{} is no drive of a Pico's bootloader, which has a file INFO_UF2.TXT: hold BOOTSEL while you plug it in",
        drive.display()
    )]
    NotADrive {
        /// The folder.
        drive: PathBuf,
    },
    /// picotool sees a Pico and may not use it.
    #[error(
        "the Pico cannot be opened: on Linux install picotool's udev rules, on Windows its driver, \
         or mount its drive RPI-RP2"
    )]
    PicoDenied,
    /// What is in flash is not what was written.
    #[error(
        "what was written to {board} reads back otherwise: flash again, and if that fails, its flash is worn"
    )]
    Verify {
        /// The board.
        board: Board,
    },
    /// A tool failed for a reason of its own.
    #[error("{tool} cannot flash {board}: {message}")]
    Tool {
        /// The tool.
        tool: &'static str,
        /// The board.
        board: Board,
        /// What it said.
        message: String,
    },
}
