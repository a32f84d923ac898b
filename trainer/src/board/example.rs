//! The programs there are for boards, and the models that each is for.

use flowlet_protocol::update::{PAGE_LEN, SCRATCH_LEN};

use super::fit::{check_fit, image};
use super::update::{check_slot, layout};
use super::{Board, BoardError, detection};
use crate::error::Error;
use crate::model_file::ModelFile;

/// A program for boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    /// Samples a model on request.
    Sampler,
    /// Tells what each of several models takes.
    Compare,
    /// Tells whether windows of a motion sensor's samples are strange.
    Detector,
    /// Takes a new model while it samples the old one.
    Update,
    /// Samples beside other tasks.
    Embassy,
}

/// What a part of flash is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Address of its first byte.
    pub(super) start: u32,
    pub(super) bytes: Vec<u8>,
}

impl Example {
    /// What its package is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sampler => "sampler",
            Self::Compare => "compare",
            Self::Detector => "detector",
            Self::Update => "update",
            Self::Embassy => "embassy",
        }
    }

    /// Whether there is one for the board.
    fn is_for(self, board: Board) -> bool {
        match self {
            Self::Sampler | Self::Compare | Self::Detector | Self::Update => true,
            Self::Embassy => board == Board::Nrf52840Dk,
        }
    }

    /// Checks that there is one for the board, which can run these models.
    pub(super) fn check(self, board: Board, files: &[&ModelFile]) -> Result<(), Error> {
        if !self.is_for(board) {
            return Err(BoardError::NoExample {
                board,
                example: self.name(),
                others: self.boards(board.is_emulated()),
            }
            .into());
        }
        if files.len() > 1 && self != Self::Compare {
            let example = self.name();
            return Err(BoardError::OneModel { example }.into());
        }
        for file in files {
            let model = file.model()?;
            match self {
                Self::Detector => drop(detection::check(&model)?),
                Self::Update => {
                    check_slot(board, file)?;
                    check_scratch(model.scratch_len())?;
                }
                Self::Sampler | Self::Compare | Self::Embassy => {}
            }
        }
        check_fit(board, files)
    }

    /// The names of the boards that it is for.
    fn boards(self, is_emulated: bool) -> String {
        let boards = Board::ALL.into_iter();
        let boards = boards.filter(|board| board.is_emulated() == is_emulated);
        let names: Vec<_> = boards
            .filter(|board| self.is_for(*board))
            .map(Board::name)
            .collect();
        names.join(", ")
    }
}

/// What the region for models is to hold, so that `example` starts with these.
pub(super) fn parts(example: Option<Example>, board: Board, files: &[&ModelFile]) -> Vec<Part> {
    let start = board.model_region().start;
    let mut parts = vec![Part {
        start,
        bytes: image(files),
    }];
    // Records of earlier updates would name another slot.
    if example == Some(Example::Update) {
        parts.push(Part {
            start: start + layout(board).records_start() as u32,
            bytes: vec![0xFF; PAGE_LEN],
        });
    }
    parts
}

/// That the firmware `update` has the memory for a model.
fn check_scratch(needed: usize) -> Result<(), BoardError> {
    match needed <= SCRATCH_LEN {
        true => Ok(()),
        false => Err(BoardError::NoScratch {
            needed,
            found: SCRATCH_LEN,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    static MOONS: &[u8] = include_bytes!("../../../runtime/src/moons.flow");

    #[test]
    fn an_example_is_for_the_boards_that_its_package_has_a_feature_for() {
        use Example::{Compare, Detector, Embassy, Sampler, Update};

        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("firmware-examples");
        for example in [Sampler, Compare, Detector, Update, Embassy] {
            let manifest = folder.join(example.name()).join("Cargo.toml");
            let manifest = fs::read_to_string(manifest).unwrap();
            for board in Board::ALL {
                let feature = format!("{board} = [");
                let has_feature = manifest.lines().any(|line| line.starts_with(&feature));
                assert_eq!(example.is_for(board), has_feature, "{example:?}, {board}");
            }
        }
    }

    #[test]
    fn an_update_starts_with_slot_a_and_erased_records() {
        let file = ModelFile::from_bytes("moons", MOONS);
        let starts = |example, board| {
            let parts = parts(example, board, &[&file]);
            assert!(parts[0].bytes.starts_with(MOONS));
            for records in &parts[1..] {
                assert_eq!(records.bytes, [0xFF; 4096]);
            }
            parts.iter().map(|part| part.start).collect::<Vec<_>>()
        };
        let update = Some(Example::Update);
        assert_eq!(starts(update, Board::Nrf52840Dk), [0x4_0000, 0xF_E000]);
        let sectors = starts(update, Board::Stm32f4Discovery);
        assert_eq!(sectors, [0x0804_0000, 0x080C_0000]);
        assert_eq!(starts(None, Board::Nrf52840Dk), [0x4_0000]);
        let sampler = Some(Example::Sampler);
        assert_eq!(starts(sampler, Board::Pico), [0x1004_0000]);
    }

    #[test]
    fn a_scratch_that_update_has_not_is_told_by_how_much() {
        assert!(check_scratch(SCRATCH_LEN).is_ok());
        let message = check_scratch(SCRATCH_LEN + 3).unwrap_err().to_string();
        assert!(message.contains("3 words too many"), "{message}");
    }
}
