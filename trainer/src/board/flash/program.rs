//! Whether a program is for a board, told before it is written.

use std::fs;
use std::path::Path;

use super::super::elf::{ARM, Elf, RISC_V, address_of};
use super::super::{Board, BoardError};
use super::{Tool, espflash};
use crate::error::Error;

/// Checks that the program is for the board, and leaves room for the models.
pub(super) fn check(board: Board, path: &Path) -> Result<(), Error> {
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
    // Cores of one kind have flash at the same place, and the boards around them their models elsewhere.
    let models = ["_model_flash_start", "_model_start"];
    let models = models.iter().find_map(|name| address_of(&bytes, name));
    let start = board.model_region().start;
    if elf.machine != machine || models.is_some_and(|models| models != start) {
        return Err(foreign().into());
    }
    if let Tool::Espflash { .. } = board.tool()? {
        return Ok(check_image(board, &elf)?);
    }
    check_flash(board, &elf)?.ok_or_else(foreign)?;
    Ok(check_ram(board, &elf)?)
}

/// That the image of a program, of which espflash makes the places, leaves the models theirs; how its parts
/// are filled up is espflash's to tell.
fn check_image(board: Board, elf: &Elf<'_>) -> Result<(), BoardError> {
    let lens = elf.segments.iter().map(|part| part.bytes.len() as u64);
    let (len, room) = (lens.sum(), espflash::program(board).len as u64);
    match len <= room {
        true => Ok(()),
        false => Err(BoardError::LargeProgram { board, len, room }),
    }
}

/// That the program ends where the models begin; none where it is stored elsewhere than in flash.
fn check_flash(board: Board, elf: &Elf<'_>) -> Result<Option<()>, BoardError> {
    let flash = board.flash();
    let stored = elf.segments.iter().filter(|part| !part.bytes.is_empty());
    let mut end = u64::from(flash.start);
    for part in stored {
        if part.stored_at < flash.start || u64::from(part.stored_at) >= flash.end() {
            return Ok(None);
        }
        end = end.max(u64::from(part.stored_at) + part.bytes.len() as u64);
    }
    let room = board.model_region().start - flash.start;
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

#[cfg(test)]
mod tests {
    use super::super::super::elf::{Segment, program};
    use super::*;

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
        let checked = check(board, &path);
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
    fn an_image_ends_where_the_models_begin() {
        let board = Board::Esp32c3;
        let whole = vec![1; (2 << 20) - (64 << 10)];
        assert_eq!(refusal(board, RISC_V, &[part(0x3C00_0020, &whole)]), None);
        let two = [part(0x3C00_0020, &whole), part(0x4200_0020, b"code")];
        let message = refusal(board, RISC_V, &two).unwrap();
        assert!(message.contains("4 bytes too many"), "{message}");
    }
}
