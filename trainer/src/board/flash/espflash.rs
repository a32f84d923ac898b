//! espflash: Espressif's chips, by their serial port.

use std::process::Command;

use super::super::BoardError;
use super::super::line::{self, LineError};
use super::said::{self, Said};
use super::{FlashError, Load};
use crate::error::Error;

pub(super) const NAME: &str = "espflash";
const INSTALLATION: &str = "cargo install espflash --locked";

/// Finds out whether it is there.
pub(super) fn check() -> Result<(), BoardError> {
    said::check(NAME, "--version", INSTALLATION)
}

/// Writes the program with the model in it.
pub(super) fn write(chip: &str, load: &Load<'_>) -> Result<(), Error> {
    let mut command = Command::new(NAME);
    command.args(["flash", "--skip-update-check", "--non-interactive"]);
    command.args(["--chip", chip]);
    if let Some(port) = &load.place.port {
        command.args(["--port", port]);
    }
    command.args(load.program);
    let said = said::run(&mut command, NAME, INSTALLATION)?;
    match said.success {
        true => Ok(()),
        false => Err(reason(&said, load).into()),
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
