//! Whether a board has the memory for models, told before anything runs.

use flowlet::Model;

use super::{Board, BoardError, Memory};
use crate::error::Error;
use crate::model_file::ModelFile;

/// Checks that the files, one after another, fit into the board's flash region for models, and that
/// the board has the RAM to sample each.
pub(super) fn check_fit(board: Board, files: &[&ModelFile]) -> Result<(), Error> {
    let len = image_len(files);
    for file in files {
        check_ram(board, board.memory().ram, &file.model()?)?;
    }
    let found = board.model_len();
    if len <= found {
        return Ok(());
    }
    Err(Error::Board(BoardError::TooLarge {
        board,
        model_len: len,
        region_len: found,
        others: others(board, |other| len <= other.model_len()),
    }))
}

fn check_ram(board: Board, found: usize, model: &Model<'_>) -> Result<(), BoardError> {
    let needed = |board| Memory::of_sampler(board, model, 0).ram;
    if needed(board) <= found {
        return Ok(());
    }
    Err(BoardError::NoRam {
        board,
        needed: needed(board),
        found,
        others: others(board, |other| needed(other) <= other.memory().ram),
    })
}

/// The bytes for the region: the files, each filled up to whole words.
pub(super) fn image(files: &[&ModelFile]) -> Vec<u8> {
    let mut image = vec![];
    for file in files {
        image.extend(file.bytes());
        image.resize(image.len().next_multiple_of(4), 0);
    }
    image
}

fn image_len(files: &[&ModelFile]) -> usize {
    let lens = files.iter().map(|file| file.bytes().len());
    lens.map(|len| len.next_multiple_of(4)).sum()
}

/// What would do instead of `board`, as advice: QEMU's board for one of QEMU's, silicon for silicon.
pub(super) fn others(board: Board, fits: impl Fn(Board) -> bool) -> String {
    let names: Vec<_> = Board::ALL
        .into_iter()
        .filter(|other| other.is_emulated() == board.is_emulated() && fits(*other))
        .filter(|other| *other != board)
        .collect();
    match &names[..] {
        [] => "no board here has enough".into(),
        [.., last] => format!("it would fit on boards such as {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static MOONS: &[u8] = include_bytes!("../../../runtime/src/moons.flow");

    #[test]
    fn files_lie_on_word_boundaries_one_after_another() {
        let odd = ModelFile::from_bytes("odd", &[1; 5]);
        let even = ModelFile::from_bytes("even", &[2; 4]);
        let image = image(&[&odd, &even, &odd]);
        assert_eq!(
            image,
            [1, 1, 1, 1, 1, 0, 0, 0, 2, 2, 2, 2, 1, 1, 1, 1, 1, 0, 0, 0]
        );
        assert_eq!(image.len(), image_len(&[&odd, &even, &odd]));
    }

    #[test]
    fn too_little_flash_and_too_little_ram_are_told_by_how_much() {
        let file = ModelFile::from_bytes("moons", MOONS);
        let region_len = Board::QemuM0.model_len();
        let most = region_len / MOONS.len().next_multiple_of(4);
        assert!(check_fit(Board::QemuM0, &vec![&file; most]).is_ok());
        let error = check_fit(Board::QemuM0, &vec![&file; most + 1]).unwrap_err();
        let beyond = (most + 1) * MOONS.len().next_multiple_of(4) - region_len;
        let message = error.to_string();
        assert!(
            message.contains(&format!("{beyond} bytes too many")),
            "{message}"
        );
        assert!(message.contains("qemu-rv32"), "{message}");

        let model = file.model().unwrap();
        let needed = Memory::of_sampler(Board::QemuM0, &model, 0).ram;
        assert!(check_ram(Board::QemuM0, needed, &model).is_ok());
        let error = check_ram(Board::QemuM0, needed - 1, &model).unwrap_err();
        assert!(error.to_string().contains("1 bytes too many"), "{error}");
    }
}
