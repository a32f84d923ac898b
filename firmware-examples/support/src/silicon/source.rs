//! Random words: a chip's own, or those of a seed.

use core::convert::Infallible;

use rand_core::{Rng as _, SeedableRng, TryRng, utils};
use rand_xoshiro::Xoshiro128PlusPlus;

/// Where an example's random words come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The chip's own source, a word a call.
    Chip(fn() -> u32),
    /// The generator that every board has.
    Seeded(Xoshiro128PlusPlus),
}

impl Source {
    /// That of a seed, or the chip's where there is none.
    pub(super) fn new(seed: Option<u64>, word: fn() -> u32) -> Self {
        match seed {
            Some(seed) => Self::Seeded(Xoshiro128PlusPlus::seed_from_u64(seed)),
            None => Self::Chip(word),
        }
    }
}

impl TryRng for Source {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(match self {
            Self::Chip(word) => word(),
            Self::Seeded(generator) => generator.next_u32(),
        })
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        match self {
            Self::Chip(_) => utils::next_u64_via_u32(self),
            Self::Seeded(generator) => Ok(generator.next_u64()),
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(bytes, || self.try_next_u32())
    }
}
