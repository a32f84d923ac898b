//! Integer nets on the host: what a quantizer makes, and what it gives for calibration rows.

use ndarray::{Array2, ArrayView1, Axis};

use super::interpolation::Interpolation;
use crate::flow::Activation;

/// Largest magnitude of a net's fixed-point input.
pub(super) const INPUT_LIMIT: i64 = 1 << 26;
/// Fraction bits of a pre-activation.
pub(super) const PRE_ACTIVATION_BITS: i32 = 20;
/// Fraction bits of an activation at exponent 0.
pub(super) const ACTIVATION_BITS: i32 = 15;
/// Bits that a product with a 16-bit weight or multiplier loses.
pub(super) const PRODUCT_BITS: i32 = 16;

/// A net of integers, as a model file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegerNet {
    /// From the input to the output.
    pub layers: Vec<IntegerLayer>,
    /// The function between the layers.
    pub activation: Activation,
}

/// An affine layer of integers.
///
/// With `x` the layer's input, `acc = bias + Σ weight · x` and `z = acc · multiplier / 2¹⁶`, in
/// units of `2^(shift − 20)`. The first layer has no multiplier: its products lose 16 bits each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegerLayer {
    /// Bits from `z` to a pre-activation in units of 2⁻²⁰, 0 to 15.
    pub shift: u8,
    /// Fraction bits of the input where this is the first layer, 0 to 26; else 0.
    pub fraction_bits: u8,
    /// An activation's unit is `2^(exponent − 15)`, 0 to 15; 0 unless this layer's is elu.
    pub exponent: u8,
    /// `[outputs, inputs]`, within ±127 unless this is the first layer.
    pub weight: Array2<i16>,
    /// `[outputs]`, in units of `acc`.
    pub bias: Vec<i32>,
    /// `[outputs]`, none in the first layer.
    pub multiplier: Vec<i16>,
}

impl IntegerLayer {
    /// `z` of each row: `[rows, outputs]`, all whole numbers.
    pub(super) fn affine(&self, x: &Array2<f64>) -> Array2<f64> {
        if self.multiplier.is_empty() {
            self.first(x)
        } else {
            self.next(x)
        }
    }

    fn first(&self, x: &Array2<f64>) -> Array2<f64> {
        let rows = x.nrows();
        Array2::from_shape_fn((rows, self.bias.len()), |(row, o)| {
            let products = x.row(row).into_iter().zip(self.weight.row(o));
            let sum: i64 = products
                .map(|(&q, &w)| (q as i64 * i64::from(w)) >> PRODUCT_BITS)
                .sum();
            (i64::from(self.bias[o]) + sum) as f64
        })
    }

    /// In `f64`, where all sums below 2⁵³ are exact.
    fn next(&self, x: &Array2<f64>) -> Array2<f64> {
        let mut z = x.dot(&self.weight.mapv(f64::from).t());
        for mut row in z.axis_iter_mut(Axis(0)) {
            for ((z, &bias), &multiplier) in row.iter_mut().zip(&self.bias).zip(&self.multiplier) {
                let product = (*z + f64::from(bias)) * f64::from(multiplier);
                *z = (product / f64::from(1 << PRODUCT_BITS)).floor();
            }
        }
        z
    }

    /// Activations of each row, whole numbers in units of `2^(exponent − 15)`.
    pub(super) fn activate(&self, z: &Array2<f64>, table: &Interpolation) -> Array2<f64> {
        z.mapv(|z| table.apply((z as i64) << self.shift, self.exponent) as f64)
    }

    /// The real numbers that `z` stands for.
    pub(super) fn real(&self, z: &Array2<f64>) -> Array2<f64> {
        let unit = power_of_two(i32::from(self.shift) - PRE_ACTIVATION_BITS);
        z.mapv(|z| z * unit)
    }
}

/// A net's input in fixed point.
pub(super) fn fixed(input: &Array2<f64>, fraction_bits: u8) -> Array2<f64> {
    let (scale, limit) = (power_of_two(fraction_bits.into()), INPUT_LIMIT as f64);
    input.mapv(|u| (u * scale).trunc().clamp(-limit, limit))
}

/// Whether the integer sums of output `o` can never overflow: the runtime's check at load.
pub(super) fn fits(layer: &IntegerLayer, o: usize, hidden: bool) -> bool {
    let bias = i64::from(layer.bias[o]).abs();
    let weights = layer.weight.row(o);
    let hidden_limit = (1i64 << (31 - layer.shift)) - 1;
    if layer.multiplier.is_empty() {
        let limit = if hidden {
            hidden_limit
        } else {
            i64::from(i32::MAX)
        };
        return bias + first_sum(weights) <= limit;
    }
    let total = bias + next_sum(weights);
    let product = total * i64::from(layer.multiplier[o]);
    total <= i64::from(i32::MAX) && (!hidden || (product >> PRODUCT_BITS) < hidden_limit)
}

/// The most that the first layer's products add up to.
fn first_sum(weights: ArrayView1<i16>) -> i64 {
    let product = |w: &i16| i64::from(*w).abs() * INPUT_LIMIT;
    weights
        .iter()
        .map(|w| (product(w) + 0xFFFF) >> PRODUCT_BITS)
        .sum()
}

/// The most that another layer's products add up to.
fn next_sum(weights: ArrayView1<i16>) -> i64 {
    weights
        .iter()
        .map(|w| i64::from(*w).abs() << ACTIVATION_BITS)
        .sum()
}

/// 2^`exponent`, exact.
pub(super) fn power_of_two(exponent: i32) -> f64 {
    f64::from(exponent).exp2()
}
