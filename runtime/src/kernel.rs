//! The inner loops.
//!
//! Integer layers are defined by [`portable`]; where a target has a faster kernel, it gives the same
//! bits. This is the only module with `unsafe` code.

#[cfg(assembly)]
mod assembly;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
pub(crate) mod float;
pub(crate) mod memory;
#[cfg_attr(
    assembly,
    allow(dead_code, reason = "without the tests of kernels, nobody asks")
)]
pub(crate) mod portable;
mod table;
#[cfg(feature = "kernels")]
pub mod trial;

#[cfg(assembly)]
pub(crate) use assembly::{first_layer, next_layer};
#[cfg(not(assembly))]
pub(crate) use portable::first_layer;
#[cfg(not(any(assembly, target_arch = "x86_64")))]
pub(crate) use portable::next_layer;
pub(crate) use table::{ELU, TANH};

use crate::tile::Lanes;

/// Fractional bits of a pre-activation.
pub(crate) const FRACTION_BITS: u32 = 20;
/// Where a net's input is cut off, in units of its fixed point.
pub(crate) const INPUT_LIMIT: i32 = 1 << 26;

/// Segments of a table below 0, 32 for each unit.
const SEGMENTS_BELOW_0: usize = 256;
/// Bits of a pre-activation within a segment.
const SEGMENT_BITS: u32 = 15;
/// Where a table ends.
const TABLE_LIMIT: i32 = (SEGMENTS_BELOW_0 as i32) << SEGMENT_BITS;

/// An affine layer in integers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer<'m> {
    /// Blocks of four outputs, each with its biases, its weights and, but for a net's first layer,
    /// its multipliers.
    pub(crate) blocks: &'m [u32],
    pub(crate) inputs: usize,
    /// Sums, once multiplied, are in units of `2^(shift − 20)`.
    pub(crate) shift: u32,
    /// Activations of elu are in units of `2^(exponent − 15)`.
    pub(crate) exponent: u32,
}

/// What follows a layer's sums.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finish {
    /// tanh, two numbers a word in units of 2⁻¹⁵.
    Tanh,
    /// elu, two numbers a word.
    Elu,
    /// Nothing: the sums, one a word.
    Linear,
}

/// A layer that reads the activations of the one before it, on the fastest kernel there is.
#[cfg(target_arch = "x86_64")]
pub(crate) fn next_layer(layer: &Layer<'_>, x: &[u32], out: &mut [u32], finish: Finish) {
    match avx2::Avx2::detect() {
        Some(avx2) => avx2.next_layer(layer, x, out, finish),
        None => portable::next_layer(layer, x, out, finish),
    }
}

/// Takes each x, within ±80 or NaN, to `eˣ`: the bits of `libm::expf`.
pub(crate) fn exp(x: &mut Lanes) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = avx2::Avx2::detect() {
        return avx2.exp(x);
    }
    x.iter_mut().for_each(|x| *x = libm::expf(*x));
}

/// A net's input in fixed point, cut off at [`INPUT_LIMIT`].
#[inline(always)]
pub(crate) fn fixed(u: f32, scale: f32) -> i32 {
    ((u * scale) as i32).clamp(-INPUT_LIMIT, INPUT_LIMIT)
}

/// tanh of `p · 2⁻²⁰`, in units of 2⁻¹⁵.
#[inline(always)]
pub(crate) fn tanh(p: i32) -> i16 {
    let p = p.clamp(-TABLE_LIMIT, TABLE_LIMIT - 1);
    interpolate(&TANH, p) as i16
}

/// elu of `p · 2⁻²⁰`, in units of `2^(exponent − 15)`.
#[inline(always)]
pub(crate) fn elu(p: i32, exponent: u32) -> i16 {
    let below = interpolate(&ELU, p.clamp(-TABLE_LIMIT, 0));
    let above = p.max(0) >> (FRACTION_BITS - 15);
    let elu = (below + above).wrapping_shr(exponent);
    elu.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

#[inline(always)]
fn interpolate(table: &[u32], p: i32) -> i32 {
    let segment = (p >> SEGMENT_BITS) + SEGMENTS_BELOW_0 as i32;
    let entry = table.get(segment as usize).map_or(0, |e| e.cast_signed());
    let (distance, slope) = (p as i16, entry as i16);
    entry.wrapping_add(i32::from(distance) * i32::from(slope)) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ops::Range;

    const ONE: f64 = (1 << FRACTION_BITS) as f64;

    /// Largest error of an activation over a range.
    fn largest_error(
        integer: impl Fn(i32) -> i16,
        exact: impl Fn(f64) -> f64,
        range: Range<f64>,
    ) -> f64 {
        let error = |p: i32| (f64::from(integer(p)) / 32768.0 - exact(f64::from(p) / ONE)).abs();
        let all = (range.start * ONE) as i32..(range.end * ONE) as i32;
        all.step_by(7).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn tanh_is_as_close_as_stated() {
        let error = largest_error(tanh, f64::tanh, -10.0..10.0);
        assert!((1.2e-4..=1.4e-4).contains(&error), "{error}");
    }

    #[test]
    fn elu_is_as_close_as_stated() {
        let elu = |p| elu(p, 0);
        let error = largest_error(elu, f64::exp_m1, -8.0..0.0);
        assert!((1.2e-4..=1.4e-4).contains(&error), "{error}");
        let error = largest_error(elu, f64::exp_m1, -20.0..-8.0);
        assert!((3.3e-4..=3.5e-4).contains(&error), "{error}");
    }

    #[test]
    fn elu_above_0_is_the_identity_until_16_bits_end() {
        for exponent in 0..=15 {
            let unit_bits = FRACTION_BITS - 15 + exponent;
            for x in (0..=32767).filter(|x| *x <= i32::MAX >> unit_bits) {
                assert_eq!(elu(x << unit_bits, exponent), x as i16);
            }
            assert_eq!(
                elu(i32::MAX, exponent),
                (i32::MAX >> unit_bits).min(32767) as i16
            );
        }
    }

    #[test]
    fn an_activation_is_monotonic_from_node_to_node() {
        let p = (-TABLE_LIMIT - 10..TABLE_LIMIT + 10).step_by(5);
        assert!(p.clone().map(tanh).is_sorted());
        assert!(p.clone().map(|p| elu(p, 4)).is_sorted());
    }
}
