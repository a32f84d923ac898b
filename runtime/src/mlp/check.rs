//! That an integer net is what a writer writes, and that none of its sums can overflow.

use super::Mlp;
use super::integer::Segment;
use crate::error::Error;
use crate::kernel::memory::{bytes, halves};
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

impl Mlp<'_> {
    pub(super) fn check_int8(&self) -> Result<(), Error> {
        self.segments().try_for_each(|layer| layer.check())
    }
}

impl Segment<'_> {
    fn check(&self) -> Result<(), Error> {
        check(self.has_valid_header(), Error::Malformed)?;
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
fn check_first_block(block: &[u32], outputs: usize, most: u64) -> Result<(), Error> {
    let (bias, weights) = block.split_first_chunk().unwrap_or((&[0; 4], &[]));
    for (row, bias) in bias.iter().enumerate() {
        let weights = halves(weights).iter().skip(row).step_by(4);
        let magnitude = weights.fold(0, |sum, w| sum + u64::from(i16::from_le(*w).unsigned_abs()));
        let bias = magnitude_of(*bias);
        check(
            row < outputs || (bias, magnitude) == (0, 0),
            Error::Malformed,
        )?;
        check(bias + LARGEST_INPUT * magnitude <= most, Error::Overflow)?;
    }
    Ok(())
}

/// Checks a block of a later layer.
fn check_next_block(block: &[u32], inputs: usize, outputs: usize, most: u64) -> Result<(), Error> {
    let (bias, rest) = block.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
    let (weights, multipliers) = rest.split_last_chunk::<2>().unwrap_or((&[], &[0; 2]));
    for ((row, bias), multiplier) in bias.iter().enumerate().zip(halves(multipliers)) {
        let magnitude = row_magnitude(weights, row, inputs)?;
        let bias = magnitude_of(*bias);
        let multiplier = u64::try_from(i16::from_le(*multiplier)).map_err(|_| Error::Malformed)?;
        let is_zero = (bias, magnitude, multiplier) == (0, 0, 0);
        check(row < outputs || is_zero, Error::Malformed)?;
        let sum = bias + LARGEST_ACTIVATION * magnitude;
        check(sum <= LARGEST_SUM, Error::Overflow)?;
        check(((sum * multiplier) >> 16) < most, Error::Overflow)?;
    }
    Ok(())
}

/// `Σ |w|` over the inputs of one output in a block.
fn row_magnitude(weights: &[u32], row: usize, inputs: usize) -> Result<u64, Error> {
    // The even outputs' bytes are signed and come second, see `FORMAT.md`.
    let first = 4 * (row / 2) + (1 - row % 2);
    let pairs = bytes(weights).as_chunks::<8>().0;
    let row_bytes = pairs
        .iter()
        .flat_map(|pair| pair.iter().skip(first).step_by(2).take(2));
    let mut magnitude = 0;
    for (i, byte) in row_bytes.enumerate() {
        let w = match row % 2 {
            0 => byte.cast_signed(),
            _ => (byte ^ 0x80).cast_signed(),
        };
        check(w != i8::MIN && (i < inputs || w == 0), Error::Malformed)?;
        magnitude += u64::from(w.unsigned_abs());
    }
    Ok(magnitude)
}

/// The magnitude of a bias as it lies in the file.
fn magnitude_of(word: u32) -> u64 {
    u32::from_le(word).cast_signed().unsigned_abs().into()
}

fn check(holds: bool, otherwise: Error) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(otherwise) }
}
