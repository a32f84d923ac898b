//! Integer layers in plain Rust: what every other kernel must equal.

use super::memory::{bytes, halves, halves_mut};
use super::{Finish, Layer, elu, tanh};
use crate::format::{first_block_len, next_block_len};

/// A layer that reads fixed-point numbers of 32 bits.
pub(crate) fn first_layer(layer: &Layer<'_>, q: &[u32], out: &mut [u32], finish: Finish) {
    let q = q.get(..layer.inputs).unwrap_or_default();
    finish_each(layer, first_block_len(q.len()), out, finish, |block| {
        let (bias, weights) = block.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let mut sums = bias.map(signed);
        for (q, weights) in q.iter().zip(halves(weights).as_chunks::<4>().0) {
            for (sum, w) in sums.iter_mut().zip(weights) {
                *sum = sum.wrapping_add(mulw(*q as i32, i16::from_le(*w)));
            }
        }
        sums
    });
}

/// A layer that reads the activations of the one before it.
pub(crate) fn next_layer(layer: &Layer<'_>, x: &[u32], out: &mut [u32], finish: Finish) {
    let groups = layer.inputs.div_ceil(4);
    let x = halves(x).as_chunks::<4>().0;
    let x = x.get(..groups).unwrap_or_default();
    let sum = x.as_flattened().iter().map(|x| i32::from(*x));
    let correction = 128 * sum.fold(0, i32::wrapping_add);
    let block_len = next_block_len(layer.inputs);
    finish_each(layer, block_len, out, finish, |block| {
        let (bias, rest) = block.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let (weights, multipliers) = rest.split_last_chunk::<2>().unwrap_or((&[], &[0; 2]));
        let [a, b, c, d] = bias.map(signed);
        let mut sums = [a, b.wrapping_sub(correction), c, d.wrapping_sub(correction)];
        for (x, weights) in x.iter().zip(bytes(weights).as_chunks::<16>().0) {
            add_products(&mut sums, weights, x);
        }
        let multipliers = halves(multipliers);
        for (sum, m) in sums.iter_mut().zip(multipliers) {
            *sum = mulw(*sum, i16::from_le(*m));
        }
        sums
    });
}

/// Adds the products of four inputs to the sums of four outputs.
fn add_products([a, b, c, d]: &mut [i32; 4], weights: &[u8; 16], x: &[i16; 4]) {
    let add = |sum: &mut i32, w: i32, x: i32| *sum = sum.wrapping_add(w * x);
    let (weights, _) = weights.as_chunks::<8>();
    let (x, _) = x.as_chunks::<2>();
    for (w, x) in weights.iter().zip(x) {
        let x = x.map(i32::from);
        let unsigned = |w: u8| i32::from(w);
        let signed = |w: u8| i32::from(w.cast_signed());
        add(b, unsigned(w[0]), x[0]);
        add(a, signed(w[1]), x[0]);
        add(b, unsigned(w[2]), x[1]);
        add(a, signed(w[3]), x[1]);
        add(d, unsigned(w[4]), x[0]);
        add(c, signed(w[5]), x[0]);
        add(d, unsigned(w[6]), x[1]);
        add(c, signed(w[7]), x[1]);
    }
}

/// Stores what `sums` gives for each block, after the layer's shift and activation.
pub(super) fn finish_each(
    layer: &Layer<'_>,
    block_len: usize,
    out: &mut [u32],
    finish: Finish,
    sums: impl Fn(&[u32]) -> [i32; 4],
) {
    let (shift, exponent) = (layer.shift, layer.exponent);
    let mut rest = layer.blocks;
    // `chunks_exact` divides, and may panic where it is not inlined.
    let mut next = || {
        let (block, after) = rest.split_at_checked(block_len)?;
        rest = after;
        Some(sums(block))
    };
    match finish {
        Finish::Tanh => {
            for out in halves_mut(out).as_chunks_mut::<4>().0 {
                let Some(sums) = next() else { break };
                *out = sums.map(|z| tanh(z.wrapping_shl(shift)));
            }
        }
        Finish::Elu => {
            for out in halves_mut(out).as_chunks_mut::<4>().0 {
                let Some(sums) = next() else { break };
                *out = sums.map(|z| elu(z.wrapping_shl(shift), exponent));
            }
        }
        Finish::Linear => {
            for out in out.as_chunks_mut::<4>().0 {
                let Some(sums) = next() else { break };
                *out = sums.map(i32::cast_unsigned);
            }
        }
    }
}

/// A bias as it lies in the file.
fn signed(word: u32) -> i32 {
    u32::from_le(word).cast_signed()
}

/// `⌊a · m / 2¹⁶⌋`: one instruction on Arm cores with the DSP extension.
pub(super) fn mulw(a: i32, m: i16) -> i32 {
    ((i64::from(a) * i64::from(m)) >> 16) as i32
}
