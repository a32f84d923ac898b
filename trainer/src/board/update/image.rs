//! The flash of a board before any update.

use flowlet_protocol::update::{Layout, PAGE_LEN};

use crate::board::fit::others;
use crate::board::{Board, BoardError};
use crate::error::Error;
use crate::model_file::ModelFile;

/// The layout of a board's region for models.
pub(in crate::board) fn layout(board: Board) -> Result<Layout, BoardError> {
    let region = board.model_region();
    let layout = region.and_then(|region| Layout::of(region.len, board.pages().len));
    layout.ok_or(BoardError::NoSlots { board })
}

impl Board {
    /// Bytes of a slot for a model that a running board takes; none where it has none.
    pub fn slot_len(self) -> Option<usize> {
        layout(self).ok().map(|layout| layout.slot_len)
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
    flash.resize(layout(board)?.records_start() + PAGE_LEN, 0xFF);
    Ok(flash)
}

/// Checks that the file fits into a slot.
pub(in crate::board) fn check_slot(board: Board, file: &ModelFile) -> Result<(), Error> {
    let (file_len, slot_len) = (file.bytes().len(), layout(board)?.slot_len);
    if file_len > slot_len {
        let fits = |other| layout(other).is_ok_and(|layout| file_len <= layout.slot_len);
        return Err(Error::Board(BoardError::TooLargeForSlot {
            board,
            file_len,
            slot_len,
            others: others(board, fits),
        }));
    }
    Ok(())
}
