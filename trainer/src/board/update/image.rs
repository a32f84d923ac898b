//! The flash of a board before any update.

use flowlet_protocol::update::{Layout, PAGE_LEN};

use crate::board::fit::others;
use crate::board::{Board, BoardError};
use crate::error::Error;
use crate::model_file::ModelFile;

/// The layout of a board's region for models.
pub(in crate::board) fn layout(board: Board) -> Layout {
    let layout = Layout::of(board.model_len(), board.pages().len);
    layout.expect("every board has the flash for two slots")
}

impl Board {
    /// Bytes of each of the two slots that the example `update` has for models.
    pub fn slot_len(self) -> usize {
        layout(self).slot_len
    }
}

/// All bytes of the slots and records of a board that has `file` in slot A and is erased elsewhere.
///
/// # Errors
///
/// [`Error::Board`] where the file is larger than a slot.
pub fn flash_with(board: Board, file: &ModelFile) -> Result<Vec<u8>, Error> {
    check_slot(board, file)?;
    let mut flash = file.bytes().to_vec();
    flash.resize(layout(board).records_start() + PAGE_LEN, 0xFF);
    Ok(flash)
}

/// Checks that the file fits into a slot.
///
/// # Errors
///
/// [`Error::Board`] where it is larger.
pub fn check_slot(board: Board, file: &ModelFile) -> Result<(), Error> {
    let (file_len, slot_len) = (file.bytes().len(), board.slot_len());
    if file_len > slot_len {
        let fits = |other: Board| file_len <= other.slot_len();
        return Err(Error::Board(BoardError::TooLargeForSlot {
            board,
            file_len,
            slot_len,
            others: others(board, fits),
        }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_has_two_slots_and_records_that_are_erased_apart() {
        for board in Board::ALL {
            let layout = layout(board);
            assert!(layout.slot_len.is_multiple_of(board.pages().len), "{board}");
            let rest = board.model_len() - layout.records_start();
            assert!(rest >= PAGE_LEN.max(board.pages().len), "{board}");
        }
        assert_eq!(Board::Stm32f4Discovery.slot_len(), 256 << 10);
        assert_eq!(Board::Nrf52840Dk.slot_len(), 380 << 10);
        assert_eq!(Board::Pico.slot_len(), 892 << 10);
        assert_eq!(Board::Esp32c3.slot_len(), 1020 << 10);
    }
}
