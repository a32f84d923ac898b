//! Whether a program is for a board, told before it is written.

use std::fs;
use std::path::Path;

use super::super::elf::{ARM, Elf, RISC_V};
use super::super::{Board, BoardError, Region};
use crate::error::Error;
use crate::model_file::ModelFile;

/// Checks that the program is for the board, leaves room for the models where they lie in a region of their
/// own, and has them where not.
pub(super) fn check(board: Board, path: &Path, files: &[&ModelFile]) -> Result<(), Error> {
    let bytes = fs::read(path).map_err(|source| Error::cannot_read(path, source))?;
    let foreign = || BoardError::ForeignProgram {
        board,
        path: path.into(),
    };
    let elf = Elf::parse(&bytes).ok_or_else(foreign)?;
    let machine = match board.target().starts_with("riscv") {
        true => RISC_V,
        false => ARM,
    };
    if elf.machine != machine {
        return Err(foreign().into());
    }
    match board.model_region() {
        Some(region) => {
            check_flash(board, &elf, region)?.ok_or_else(foreign)?;
            check_ram(board, &elf)?;
        }
        None if !has_models(&elf, files) => {
            return Err(BoardError::OtherModel {
                board,
                path: path.into(),
            }
            .into());
        }
        None => {}
    }
    Ok(())
}

/// That the program ends where the models begin; none where it is stored elsewhere than in flash.
fn check_flash(board: Board, elf: &Elf<'_>, models: Region) -> Result<Option<()>, BoardError> {
    let flash = board.flash();
    let stored = elf.segments.iter().filter(|part| !part.bytes.is_empty());
    let mut end = u64::from(flash.start);
    for part in stored {
        if part.stored_at < flash.start || u64::from(part.stored_at) >= flash.end() {
            return Ok(None);
        }
        end = end.max(u64::from(part.stored_at) + part.bytes.len() as u64);
    }
    let room = models.start - flash.start;
    match end - u64::from(flash.start) {
        len if len <= u64::from(room) => Ok(Some(())),
        len => Err(BoardError::LargeProgram {
            board,
            len,
            room: room.into(),
        }),
    }
}

/// That the board has the RAM for the variables, and the stack if the program keeps some for it.
fn check_ram(board: Board, elf: &Elf<'_>) -> Result<(), BoardError> {
    let flash = board.flash();
    let in_flash = |address: u32| address >= flash.start && u64::from(address) < flash.end();
    let variables = elf.segments.iter().filter(|part| !in_flash(part.address));
    let needed: u64 = variables.map(|part| u64::from(part.len)).sum();
    match needed <= board.ram_len() as u64 {
        true => Ok(()),
        false => Err(BoardError::NoRam {
            board,
            needed: needed as usize,
            found: board.ram_len(),
            others: "leave out --firmware to have one built for the board".into(),
        }),
    }
}

fn has_models(elf: &Elf<'_>, files: &[&ModelFile]) -> bool {
    files.iter().all(|file| {
        let mut parts = elf.segments.iter();
        parts.any(|part| contains(part.bytes, file.bytes()))
    })
}

/// Whether the model lies in a program, on a word boundary as it must.
fn contains(program: &[u8], model: &[u8]) -> bool {
    let starts = (0..program.len()).step_by(4);
    starts
        .map(|start| &program[start..])
        .any(|rest| rest.starts_with(model))
}

#[cfg(test)]
mod tests {
    use super::super::super::elf::{Segment, program};
    use super::*;

    static MOONS: &[u8] = include_bytes!("../../../../runtime/src/moons.flow");

    fn part(stored_at: u32, bytes: &[u8]) -> Segment<'_> {
        Segment {
            stored_at,
            address: stored_at,
            bytes,
            len: bytes.len() as u32,
        }
    }

    /// Why the program cannot be flashed.
    fn refusal(board: Board, machine: u16, segments: &[Segment<'_>]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program.elf");
        fs::write(&path, program(machine, segments)).unwrap();
        let file = ModelFile::from_bytes("moons", MOONS);
        let checked = check(board, &path, &[&file]);
        checked.err().map(|error| error.to_string())
    }

    #[test]
    fn a_program_ends_where_the_models_begin() {
        let board = Board::Nrf52840Dk;
        let whole = vec![1; 256 << 10];
        assert_eq!(refusal(board, ARM, &[part(0, &whole)]), None);
        let message = refusal(board, ARM, &[part(4, &whole)]).unwrap();
        assert!(message.contains("4 bytes too many"), "{message}");
    }

    #[test]
    fn a_program_for_another_board_is_told() {
        let code = [part(0x0800_0000, b"code")];
        assert_eq!(refusal(Board::Stm32f4Discovery, ARM, &code), None);
        for (board, machine) in [(Board::Pico, ARM), (Board::Stm32f4Discovery, RISC_V)] {
            let message = refusal(board, machine, &code).unwrap();
            let expected = format!("is no firmware for {board}");
            assert!(message.contains(&expected), "{message}");
        }
    }

    #[test]
    fn variables_beyond_the_ram_are_told_by_how_much() {
        let variables = |len| Segment {
            stored_at: 0x0800_0000,
            address: 0x2000_0000,
            bytes: b"",
            len,
        };
        let board = Board::Stm32f4Discovery;
        let code = part(0x0800_0000, b"code");
        assert_eq!(
            refusal(board, ARM, &[code.clone(), variables(128 << 10)]),
            None
        );
        let message = refusal(board, ARM, &[code, variables((128 << 10) + 12)]).unwrap();
        assert!(message.contains("12 bytes too many"), "{message}");
    }

    #[test]
    fn a_program_around_another_model_is_told() {
        let board = Board::Esp32c3;
        let mut rodata = vec![0; 8];
        rodata.extend(MOONS);
        assert_eq!(refusal(board, RISC_V, &[part(0x3C00_0020, &rodata)]), None);
        rodata[100] ^= 1;
        let message = refusal(board, RISC_V, &[part(0x3C00_0020, &rodata)]).unwrap();
        assert!(message.contains("another model"), "{message}");
    }
}
