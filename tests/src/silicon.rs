//! Firmware for boards of silicon, built and linked for their chips.

use std::ops::Range;

use flowlet_trainer::board::firmware::{Build, build_together};
use flowlet_trainer::board::{Board, Level};

use crate::elf::Elf;

/// A board, as `firmware-examples` has it.
#[derive(Clone, Debug)]
pub struct Silicon {
    /// Its feature.
    pub name: &'static str,
    /// What is built for it alone, and asks for more of what examples share.
    pub own_examples: &'static [&'static str],
    /// Addresses of the flash that the program may take, as data and as code.
    pub flash: [Range<u64>; 2],
    /// Addresses of the RAM, as data and as code.
    pub ram: [Range<u64>; 2],
    /// Bytes of the region for models.
    pub region_len: u64,
}

/// What is built for every board, with the same features of what they share.
pub const EXAMPLES: [&str; 4] = ["sampler", "compare", "detector", "update"];

const KB: u64 = 1 << 10;

/// All boards of silicon.
pub const SILICON: [Silicon; 4] = [
    Silicon {
        name: "stm32f4-discovery",
        own_examples: &[],
        flash: [0x0800_0000..0x0804_0000, 0..0],
        ram: [0x2000_0000..0x2002_0000, 0..0],
        region_len: 768 * KB,
    },
    Silicon {
        name: "nrf52840-dk",
        own_examples: &["embassy"],
        flash: [0..0x0004_0000, 0..0],
        ram: [0x2000_0000..0x2004_0000, 0..0],
        region_len: 768 * KB,
    },
    Silicon {
        name: "pico",
        own_examples: &[],
        flash: [0x1000_0000..0x1004_0000, 0..0],
        ram: [0x2000_0000..0x2004_0000, 0..0],
        region_len: 1792 * KB,
    },
    Silicon {
        name: "esp32c3",
        own_examples: &[],
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
        let program = Build { features, ..build }.run();
        let program = program.unwrap_or_else(|error| panic!("{example}: {error}"));
        Elf::read(&program.path())
    }

    /// Builds all examples for the board, with their names; with their log if there is a level.
    ///
    /// # Panics
    ///
    /// If a build fails.
    pub fn build_all(&self, level: Option<Level>) -> Vec<(&'static str, Elf)> {
        let mut built = examples(self.board(), &EXAMPLES, level);
        for example in self.own_examples {
            built.extend(examples(self.board(), &[example], level));
        }
        built
    }

    fn board(&self) -> Board {
        Board::from_name(self.name).expect("the trainer knows the board")
    }
}

/// Builds examples that ask for the same features of what they share, with their names.
///
/// # Panics
///
/// If the build fails.
pub fn examples(
    board: Board,
    names: &[&'static str],
    level: Option<Level>,
) -> Vec<(&'static str, Elf)> {
    let programs = build_together(board, names, level);
    let programs = programs.unwrap_or_else(|error| panic!("{names:?} on {board}: {error}"));
    let elves = programs.iter().map(|program| Elf::read(&program.path()));
    names.iter().copied().zip(elves).collect()
}
