//! Flash and RAM of a firmware that samples a model and does nothing else.

use flowlet::{Model, Precision};

use super::Board;

/// Bytes of a board's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Of flash.
    pub flash: usize,
    /// Of RAM.
    pub ram: usize,
}

/// What f32 nets add to the code at most, on any board: `tanh`, `expm1` and the layers.
const F32_CODE_LEN: usize = 6 << 10;
/// What f32 nets add to the stack at most.
const F32_STACK_LEN: usize = 32;

impl Board {
    /// All of the board's memory.
    pub fn memory(self) -> Memory {
        Memory {
            flash: self.facts().flash_len,
            ram: self.facts().ram_len,
        }
    }

    /// What the least firmware that samples an int8 model takes, built for size: code, tables and
    /// vectors in flash, variables and stack in RAM; without the model and its scratch.
    ///
    /// `tests/firmware_size.csv` has the same numbers, measured.
    pub fn sampler_memory(self) -> Memory {
        let (flash, ram) = match self {
            Self::QemuM0 => (18_560, 912),
            Self::QemuM3 => (17_996, 864),
            Self::QemuM4 => (16_148, 940),
            Self::QemuM33 => (17_088, 940),
            Self::QemuRv32 => (21_410, 770),
        };
        Memory { flash, ram }
    }
}

impl Memory {
    /// What the least firmware that samples `model`, a file of `len` bytes, takes of `board`.
    pub fn of_sampler(board: Board, model: &Model<'_>, len: usize) -> Self {
        let (code, stack) = match model.description().net.precision {
            Precision::F32 => (F32_CODE_LEN, F32_STACK_LEN),
            Precision::Int8 => (0, 0),
        };
        let sampler = board.sampler_memory();
        Self {
            flash: sampler.flash + code + len,
            ram: sampler.ram + stack + 4 * model.scratch_len(),
        }
    }
}
