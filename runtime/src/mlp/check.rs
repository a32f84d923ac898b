//! That an integer net is what a writer writes, and that none of its sums can overflow.

use super::Mlp;
use super::integer::Segment;
use crate::error::Error;
use crate::kernel::memory::halves;
use crate::kernel::{Finish, INPUT_LIMIT};

/// Largest shift and exponent of a layer.
const MAX_SHIFT: u8 = 15;
/// With as many bits after the point, inputs end at ±1.
const MAX_INPUT_BITS: u8 = INPUT_LIMIT.ilog2() as u8;
/// Magnitude of the product of the largest input and a weight of 1.
const LARGEST_INPUT: u64 = (INPUT_LIMIT as u64) >> 16;
/// Magnitude of the largest sum.
const LARGEST_SUM: u64 = i32::MAX as u64;
/// Magnitude of the largest activation.
const LARGEST_ACTIVATION: u64 = 1 << 15;

/// What can be wrong: a byte, where an [`Error`] is four words that each check would write.
enum Fault {
    Malformed,
    Overflow,
}

impl Mlp<'_> {
    pub(super) fn check_int8(&self) -> Result<(), Error> {
        let checked = self.segments().try_for_each(|layer| layer.check());
        checked.map_err(|fault| match fault {
            Fault::Malformed => Error::Malformed,
            Fault::Overflow => Error::Overflow,
        })
    }
}

impl Segment<'_> {
    fn check(&self) -> Result<(), Fault> {
        check(self.has_valid_header(), Fault::Malformed)?;
        // A hidden layer's sums are shifted next.
        let shift = match self.finish {
            Finish::Linear => 0,
            Finish::Tanh | Finish::Elu => self.header.shift,
        };
        let most = LARGEST_SUM >> shift;
        let mut rest = self.blocks;
        let mut outputs = self.outputs;
        while let Some((block, after)) = rest.split_at_checked(self.block_len)
            && outputs > 0
        {
            match self.is_first {
                true => check_first_block(block, outputs, most)?,
                false => check_next_block(block, self.inputs, outputs, most)?,
            }
            rest = after;
            outputs = outputs.saturating_sub(4);
        }
        Ok(())
    }

    fn has_valid_header(&self) -> bool {
        let most_input_bits = if self.is_first { MAX_INPUT_BITS } else { 0 };
        let most_exponent = match self.finish {
            Finish::Elu => MAX_SHIFT,
            Finish::Tanh | Finish::Linear => 0,
        };
        self.header.shift <= MAX_SHIFT
            && self.header.input_bits <= most_input_bits
            && self.header.exponent <= most_exponent
            && self.header.reserved == 0
    }
}

/// Checks a block of a first layer: `outputs` of it are true ones, and no sum may be beyond `most`.
fn check_first_block(block: &[u32], outputs: usize, most: u64) -> Result<(), Fault> {
    let (bias, weights) = block.split_first_chunk().unwrap_or((&[0; 4], &[]));
    let mut magnitudes = [0; 4];
    for weights in halves(weights).as_chunks::<4>().0 {
        for (magnitude, w) in magnitudes.iter_mut().zip(weights) {
            *magnitude += u32::from(i16::from_le(*w).unsigned_abs());
        }
    }
    for (row, (bias, magnitude)) in bias.iter().zip(magnitudes).enumerate() {
        let sum = magnitude_of(*bias) + LARGEST_INPUT * u64::from(magnitude);
        check(row < outputs || sum == 0, Fault::Malformed)?;
        check(sum <= most, Fault::Overflow)?;
    }
    Ok(())
}

/// Checks a block of a later layer.
fn check_next_block(block: &[u32], inputs: usize, outputs: usize, most: u64) -> Result<(), Fault> {
    let (bias, rest) = block.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
    let (weights, multipliers) = rest.split_last_chunk::<2>().unwrap_or((&[], &[0; 2]));
    let magnitudes = magnitudes(weights, inputs)?;
    let rows = bias.iter().zip(magnitudes).zip(halves(multipliers));
    for (row, ((bias, magnitude), multiplier)) in rows.enumerate() {
        let sum = magnitude_of(*bias) + LARGEST_ACTIVATION * u64::from(magnitude);
        let multiplier = u64::try_from(i16::from_le(*multiplier)).map_err(|_| Fault::Malformed)?;
        let is_zero = (sum, multiplier) == (0, 0);
        check(row < outputs || is_zero, Fault::Malformed)?;
        check(sum <= LARGEST_SUM, Fault::Overflow)?;
        check(((sum * multiplier) >> 16) < most, Fault::Overflow)?;
    }
    Ok(())
}

/// The magnitude of a bias as it lies in the file.
fn magnitude_of(word: u32) -> u64 {
    u32::from_le(word).cast_signed().unsigned_abs().into()
}

/// `Σ |w|` over the inputs of each output in a block.
///
/// Four weights at a time: a word has those of two outputs for two inputs, see `FORMAT.md`.
fn magnitudes(weights: &[u32], inputs: usize) -> Result<[u32; 4], Fault> {
    const LOW_BYTES: u32 = 0x00FF_00FF;
    // The bits that a magnitude has not: of 128 in any weight, all of them in a padded one.
    const WEIGHT: u32 = 0x8080;
    const PADDED: u32 = 0xFFFF;
    let mut wrong = 0;
    // In each half the sum of the even or the odd inputs: 128 of them, at most 128 each.
    let mut sums = [[0u32; 2]; 2];
    for (i, pair) in weights.as_chunks::<2>().0.iter().enumerate() {
        let [low, high] = [2 * i, 2 * i + 1].map(|i| if i < inputs { WEIGHT } else { PADDED });
        for (sums, word) in sums.iter_mut().zip(pair) {
            // Odd outputs lie in the low bytes, 128 too large.
            let w = u32::from_le(*word) ^ 0x0080_0080;
            let negative = (w >> 7) & 0x0101_0101;
            let magnitude = (w ^ (negative * 0xFF)) + negative;
            wrong |= magnitude & (low | high << 16);
            let [even, odd] = sums;
            *even += (magnitude >> 8) & LOW_BYTES;
            *odd += magnitude & LOW_BYTES;
        }
    }
    check(wrong == 0, Fault::Malformed)?;
    let [[a, b], [c, d]] = sums;
    Ok([a, b, c, d].map(|sum| (sum & 0xFFFF) + (sum >> 16)))
}

fn check(holds: bool, otherwise: Fault) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(otherwise) }
}
