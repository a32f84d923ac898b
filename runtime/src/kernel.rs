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

    /// A table's value in units of 2⁻³¹, by `FORMAT.md`, from its nodes.
    fn interpolated(node: impl Fn(i64) -> i64, p: i64) -> i64 {
        let i = p.div_euclid(1 << 15);
        let even = i + i.rem_euclid(2);
        let step = 2 * (node(i + 1) - node(i));
        (node(even) << 16) + step + (p - (even << 15)) * step
    }

    /// Both in units of 2⁻¹⁵ with an `exponent` of 2.
    fn activations_by_format(p: i64) -> [i64; 2] {
        let tanh = |i: i64| (32768.0 * (i as f64 / 32.0).tanh()).round() as i64;
        let tanh = |i| tanh(i).clamp(-32767, 32767);
        let elu = |i: i64| (32768.0 * (i.min(0) as f64 / 32.0).exp_m1()).round() as i64;
        let end = 1 << 23;
        let below = interpolated(elu, p.clamp(-end, 0)).div_euclid(1 << 16);
        let sum = below + p.max(0).div_euclid(1 << 5);
        [
            interpolated(tanh, p.clamp(-end, end - 1)).div_euclid(1 << 16),
            sum.div_euclid(1 << 2).clamp(-32768, 32767),
        ]
    }

    #[test]
    fn activations_are_those_of_the_format() {
        let edges = [i32::MIN, -TABLE_LIMIT, -1, 0, TABLE_LIMIT - 1, i32::MAX];
        let all = (-TABLE_LIMIT - 1000..TABLE_LIMIT + 1000).step_by(31);
        for p in edges.into_iter().chain(all) {
            let found = [tanh(p), elu(p, 2)].map(i64::from);
            assert_eq!(found, activations_by_format(p.into()), "{p}");
        }
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
