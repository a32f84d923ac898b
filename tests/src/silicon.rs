//! Firmware for boards of silicon, built and linked for their chips.

use std::ops::Range;

use flowlet_trainer::board::firmware::{Build, Program, build_logging};
use flowlet_trainer::board::{Board, Level};
use flowlet_trainer::error::Error;

use crate::elf::Elf;

/// A board, as `firmware-examples` has it.
#[derive(Clone, Debug)]
pub struct Silicon {
    /// Its feature.
    pub name: &'static str,
    /// What is built for it.
    pub examples: &'static [&'static str],
    /// Addresses of the flash that the program may take, as data and as code.
    pub flash: [Range<u64>; 2],
    /// Addresses of the RAM, as data and as code.
    pub ram: [Range<u64>; 2],
    /// Bytes of the region for models.
    pub region_len: u64,
}

const EXAMPLES: &[&str] = &["sampler", "compare", "detector", "update"];
const KB: u64 = 1 << 10;

/// All boards of silicon.
pub const SILICON: [Silicon; 4] = [
    Silicon {
        name: "stm32f4-discovery",
        examples: EXAMPLES,
        flash: [0x0800_0000..0x0804_0000, 0..0],
        ram: [0x2000_0000..0x2002_0000, 0..0],
        region_len: 768 * KB,
    },
    Silicon {
        name: "nrf52840-dk",
        examples: &["sampler", "compare", "detector", "update", "embassy"],
        flash: [0..0x0004_0000, 0..0],
        ram: [0x2000_0000..0x2004_0000, 0..0],
        region_len: 768 * KB,
    },
    Silicon {
        name: "pico",
        examples: EXAMPLES,
        flash: [0x1000_0000..0x1004_0000, 0..0],
        ram: [0x2000_0000..0x2004_0000, 0..0],
        region_len: 1792 * KB,
    },
    Silicon {
        name: "esp32c3",
        examples: EXAMPLES,
        // Constants and code, by the addresses that the boot loader gives them: up to the window to the models,
        // and what shares its entries.
        flash: [0x3C00_0000..0x3C40_0000, 0x4200_0000..0x4240_0000],
        ram: [0x3FC8_0000..0x3FCE_0000, 0x4037_C000..0x403E_0000],
        region_len: 2048 * KB,
    },
];

impl Silicon {
    /// Builds an example for the board, with more features than its own, parted by commas.
    ///
    /// # Panics
    ///
    /// If the build fails.
    pub fn build(&self, example: &str, features: &str) -> Elf {
        let build = Build::new(self.board(), example);
        read(example, Build { features, ..build }.run())
    }

    /// Builds an example that logs.
    ///
    /// # Panics
    ///
    /// If the build fails.
    pub fn build_logging(&self, example: &str) -> Elf {
        let program = build_logging(self.board(), example, Level::Debug);
        read(example, program)
    }

    fn board(&self) -> Board {
        Board::from_name(self.name).expect("the trainer knows the board")
    }
}

fn read(example: &str, program: Result<Program, Error>) -> Elf {
    let program = program.unwrap_or_else(|error| panic!("{example}: {error}"));
    Elf::read(&program.path())
}
