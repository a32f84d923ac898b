//! probe-rs: boards with a debug probe.

use std::process::Command;

use super::super::{Board, BoardError};
use super::said::{self, Said};
use super::{Chip, FlashError, Load, Register};
use crate::error::Error;

pub(super) const NAME: &str = "probe-rs";
const INSTALLATION: &str = "cargo install probe-rs-tools --locked";

/// Finds out whether it is there.
pub(super) fn check() -> Result<(), BoardError> {
    said::check(NAME, "--version", INSTALLATION)
}

/// Writes the parts and then the program, which begins with them there.
pub(super) fn write(chip: &Chip, load: &Load<'_>) -> Result<(), Error> {
    check_chip(chip, load)?;
    for part in load.parts {
        let file = said::file_of(&part.bytes, ".bin")?;
        let start = format!("{:#x}", part.start);
        let options = ["--binary-format", "bin", "--base-address", &start];
        let mut download = command("download", chip.name, load);
        download.args(DOWNLOAD).args(options).arg(file.path());
        done(&mut download, chip, load)?;
    }
    if let Some(program) = load.program {
        let mut download = command("download", chip.name, load);
        download.args(DOWNLOAD).args(["--binary-format", "elf"]);
        done(download.arg(program), chip, load)?;
    }
    Ok(done(&mut command("reset", chip.name, load), chip, load).map(drop)?)
}

const DOWNLOAD: [&str; 2] = ["--verify", "--disable-progressbars"];

/// That the chip is the board's, and takes programs.
pub(super) fn check_chip(chip: &Chip, load: &Load<'_>) -> Result<(), BoardError> {
    let board = load.board;
    let id = read(&chip.id, chip, load)?;
    if id != chip.id.value {
        return Err(FlashError::WrongChip {
            board,
            found: format!("its identity reads {id:#x}, not {:#x}", chip.id.value),
        }
        .into());
    }
    if let Some(unlocked) = &chip.unlocked
        && read(unlocked, chip, load)? != unlocked.value
    {
        return Err(locked(chip.name, board).into());
    }
    Ok(())
}

fn locked(chip: &str, board: Board) -> FlashError {
    let advice = match board {
        Board::Stm32f4Discovery => {
            "set its read-out protection to level 0 with STM32CubeProgrammer, which erases all of it"
                .into()
        }
        _ => format!(
            "type `probe-rs erase --chip {chip} --allow-erase-all`, which erases all of it"
        ),
    };
    FlashError::Locked { board, advice }
}

/// The bits that are asked for.
fn read(register: &Register, chip: &Chip, load: &Load<'_>) -> Result<u32, BoardError> {
    let mut read = command("read", chip.name, load);
    let address = format!("{:#x}", register.address);
    let said = done(read.args(["b32", &address, "1"]), chip, load)?;
    // The last word is the number, whether or not its address comes before it.
    let word = said.output.split_whitespace().next_back();
    let number = word.and_then(|word| u32::from_str_radix(word, 16).ok());
    match number {
        Some(number) => Ok(number & register.mask),
        None => Err(failed(load.board, said.message()).into()),
    }
}

pub(super) fn command(verb: &str, chip: &str, load: &Load<'_>) -> Command {
    let mut command = Command::new(NAME);
    command.args([verb, "--chip", chip, "--non-interactive"]);
    if let Some(probe) = &load.place.probe {
        command.args(["--probe", probe]);
    }
    command
}

fn done(command: &mut Command, chip: &Chip, load: &Load<'_>) -> Result<Said, BoardError> {
    let said = said::run(command, NAME, INSTALLATION)?;
    match said.success {
        true => Ok(said),
        false => Err(reason(&said, chip.name, load).into()),
    }
}

/// Why it failed, by what probe-rs 0.32 says.
pub(super) fn reason(said: &Said, chip: &str, load: &Load<'_>) -> FlashError {
    let board = load.board;
    let probes = probes(&said.output);
    if !probes.is_empty() {
        return FlashError::ManyProbes { probes };
    }
    if said.has(&["No connected probes were found", "Probe not found"]) {
        return match &load.place.probe {
            None => FlashError::NoProbe { board },
            Some(probe) => FlashError::NotThatProbe {
                probe: probe.clone(),
            },
        };
    }
    if said.has(&[
        "lacked the permission to do so",
        "required permissions were not given",
    ]) {
        return locked(chip, board);
    }
    if said.has(&["Probe is already in use", "device is busy"]) {
        return FlashError::ProbeBusy;
    }
    if said.has(&[
        "device disconnected",
        "device not found",
        "USB Communication Error",
    ]) {
        return FlashError::Unplugged { board };
    }
    if said.has(&[
        "could not be opened",
        "permission denied",
        "Permission denied",
    ]) {
        return FlashError::ProbeDenied;
    }
    if said.has(&NO_CHIP) {
        return FlashError::NoChip { board };
    }
    if said.has(&["Flash content verification failed"]) {
        return FlashError::Verify { board };
    }
    failed(board, said.message())
}

const NO_CHIP: [&str; 5] = [
    "Failed to find or attach to the target",
    "No target responded to the debug port",
    // An ST-Link's words.
    "JtagNoDeviceConnected",
    "JtagGetIdcodeError",
    "SwdNoTargetFound",
];

fn failed(board: Board, message: String) -> FlashError {
    FlashError::Tool {
        tool: NAME,
        board,
        message,
    }
}

/// The probes that it asks to choose from, each line of them like
/// `0: STLink V2-1 -- 0483:374b:0671FF (ST-LINK)`.
fn probes(output: &str) -> Vec<String> {
    let lines = output
        .lines()
        .skip_while(|line| *line != "Available Probes:");
    let probes = lines.skip(1).filter_map(|line| {
        let (number, probe) = line.split_once(": ")?;
        number.parse::<usize>().ok()?;
        let (name, id) = probe.rsplit_once(" -- ")?;
        let id = id.split(' ').next()?;
        Some(format!("{id} ({name})"))
    });
    probes.collect()
}
