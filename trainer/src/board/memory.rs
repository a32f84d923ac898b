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

/// What f32 nets add at most, on any board: the code of `tanh`, `expm1` and the layers, and stack.
const F32_NETS: Memory = Memory {
    flash: 3 << 10,
    ram: 32,
};

impl Board {
    /// All of the board's memory.
    pub fn memory(self) -> Memory {
        Memory {
            flash: self.flash().len,
            ram: self.ram_len(),
        }
    }

    /// What the least firmware that samples an int8 model takes, built for size: code, tables and
    /// vectors in flash, variables and stack in RAM; without the model and its scratch, and on silicon
    /// without what drives the chip.
    ///
    /// `tests/firmware_size.csv` has the same numbers, measured.
    pub fn sampler_memory(self) -> Memory {
        let (flash, ram) = match self.emulated() {
            Self::QemuM0 => (18_840, 928),
            Self::QemuM3 => (18_212, 848),
            Self::QemuM4 => (16_360, 916),
            Self::QemuM7 => (16_360, 916),
            Self::QemuM33 => (17_300, 916),
            _ => (21_742, 754),
        };
        Memory { flash, ram }
    }
}

impl Memory {
    /// What the least firmware that samples `model`, a file of `len` bytes, takes of `board`.
    pub fn of_sampler(board: Board, model: &Model<'_>, len: usize) -> Self {
        let mut memory = board.sampler_memory();
        memory.flash += len;
        memory.ram += 4 * model.scratch_len();
        if model.description().net.precision == Precision::F32 {
            memory.flash += F32_NETS.flash;
            memory.ram += F32_NETS.ram;
        }
        memory
    }
}
