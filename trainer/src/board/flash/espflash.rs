//! espflash: Espressif's chips, by their serial port.

use std::process::Command;

use super::super::line::{self, LineError};
use super::super::{Board, BoardError, Region};
use super::said::{self, Said};
use super::{FlashError, Load};
use crate::error::Error;

pub(super) const NAME: &str = "espflash";
const INSTALLATION: &str = "cargo install espflash --locked";

/// Finds out whether it is there.
pub(super) fn check() -> Result<(), BoardError> {
    said::check(NAME, "--version", INSTALLATION)
}

/// Writes the parts and then the program, with a table that tells the boot loader where it lies.
pub(super) fn write(chip: &str, load: &Load<'_>) -> Result<(), Error> {
    for part in load.parts {
        let file = said::file_of(&part.bytes, ".bin")?;
        let mut write = command("write-bin", chip, load);
        write.arg(format!("{:#x}", part.start)).arg(file.path());
        done(&mut write, load)?;
    }
    if let Some(program) = load.program {
        let table = said::file_of(table(load.board).as_bytes(), ".csv")?;
        let mut flash = command("flash", chip, load);
        flash.arg("--partition-table").arg(table.path());
        done(flash.arg(program), load)?;
    }
    Ok(())
}

/// Where the program lies: after the boot loader and the table, up to the models.
pub(super) fn program(board: Board) -> Region {
    let models = board.model_region();
    Region {
        start: PROGRAM_START,
        len: (models.start - PROGRAM_START) as usize,
    }
}

/// Where boot loaders of ESP-IDF and espflash's tables have the first program.
const PROGRAM_START: u32 = 0x1_0000;

/// The parts of flash, as ESP-IDF's boot loader wants them.
fn table(board: Board) -> String {
    let (program, models) = (program(board), board.model_region());
    format!(
        "# Name, Type, SubType, Offset, Size\n\
         factory, app, factory, {:#x}, {:#x}\n\
         models, data, undefined, {:#x}, {:#x}\n",
        program.start, program.len, models.start, models.len
    )
}

fn command(verb: &str, chip: &str, load: &Load<'_>) -> Command {
    let mut command = Command::new(NAME);
    command.args([verb, "--skip-update-check", "--non-interactive"]);
    command.args(["--chip", chip]);
    if let Some(port) = &load.place.port {
        command.args(["--port", port]);
    }
    command
}

fn done(command: &mut Command, load: &Load<'_>) -> Result<(), BoardError> {
    let said = said::run(command, NAME, INSTALLATION)?;
    match said.success {
        true => Ok(()),
        false => Err(reason(&said, load)),
    }
}

/// Why it failed, by what espflash 4 says.
fn reason(said: &Said, load: &Load<'_>) -> BoardError {
    match port_reason(said, load) {
        Some(reason) => reason.into(),
        None => chip_reason(said, load).into(),
    }
}

/// What is wrong with the port, before anything comes over it.
fn port_reason(said: &Said, load: &Load<'_>) -> Option<LineError> {
    let used = said.after("Serial port: '");
    let used = used.map(|port| port.trim_end_matches('\''));
    let port = load.place.port.as_deref().or(used);
    let port = port.unwrap_or("of the board").to_owned();
    if said.has(&["Permission denied"]) {
        return Some(LineError::Denied { port });
    }
    let busy = [
        "Unable to acquire exclusive lock",
        "Device or resource busy",
    ];
    if said.has(&busy) {
        return Some(LineError::Busy { port });
    }
    let is_missing = said.has(&GONE) && !said.has(&["Chip type:"]);
    if is_missing || said.has(&["could not be found"]) {
        let ports = line::ports();
        return Some(LineError::NoPort { port, ports });
    }
    None
}

/// What is wrong with the chip, or with what there is to choose from.
fn chip_reason(said: &Said, load: &Load<'_>) -> FlashError {
    let board = load.board;
    if said.has(&["No serial ports could be detected"]) {
        return FlashError::NoPort { board };
    }
    if said.has(&["No serial port was provided", "not a terminal"]) {
        let ports = line::ports();
        return FlashError::ManyPorts { board, ports };
    }
    let found = said.after("does not match the detected chip (");
    if let Some(found) = found.or(said.after("but the detected chip is ")) {
        let found = format!("it is an {}", found.trim_end_matches(')'));
        return FlashError::WrongChip { board, found };
    }
    let secure = [
        "Secure Download Mode enabled",
        "with Secure Download enabled",
    ];
    if said.has(&secure) {
        return FlashError::Locked {
            board,
            advice: "Secure Download Mode is burnt into it for good: use another board".into(),
        };
    }
    if said.has(&["Verification of flash content failed"]) {
        return FlashError::Verify { board };
    }
    if said.has(&GONE) {
        return FlashError::Unplugged { board };
    }
    if said.has(&NO_ANSWER) {
        return FlashError::NoAnswer { board };
    }
    FlashError::Tool {
        tool: NAME,
        board,
        message: said.message(),
    }
}

const NO_ANSWER: [&str; 3] = [
    "Failed to connect to the device",
    "Download mode successfully detected",
    "Timeout while running",
];

const GONE: [&str; 6] = [
    "No such file or directory",
    "Serial port not found",
    "No such device",
    "Broken pipe",
    "Input/output error",
    "Device not configured",
];
