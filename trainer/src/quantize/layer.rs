//! One affine layer, from real numbers to integers.

use ndarray::{Array1, Array2, ArrayView1, Axis};

use super::integer::{
    ACTIVATION_BITS, INPUT_LIMIT, IntegerLayer, PRE_ACTIVATION_BITS, PRODUCT_BITS, fits,
    power_of_two,
};
use super::rounding::{Cost, Grid, Rounded};

/// Scales that are tried for each output, relative to the one that its largest weight needs.
const SCALES: [f64; 9] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6];

/// A hidden layer's pre-activations stay below this, so that 20 fraction bits fit.
const HIDDEN_REACH: f64 = 2048.0;

/// A last layer's outputs stay below this, with the largest shift.
const OUTPUT_REACH: f64 = (1u32 << 26) as f64;

/// What is left for rounding up.
const MARGIN: f64 = 0.99;

const LARGEST_SHIFT: i32 = 15;
const LARGEST_WEIGHT: f64 = 127.0;
const LARGEST_MULTIPLIER: f64 = i16::MAX as f64;
/// Half of what an `i32` holds: the products have the other.
const LARGEST_BIAS: f64 = (1u32 << 30) as f64;

/// An affine layer in `f64`.
#[derive(Clone, Debug)]
pub(super) struct RealLayer {
    /// `[outputs, inputs]`
    pub(super) weight: Array2<f64>,
    /// `[outputs]`
    pub(super) bias: Array1<f64>,
    pub(super) hidden: bool,
}

impl RealLayer {
    /// `W x + b` of each row.
    pub(super) fn affine(&self, x: &Array2<f64>) -> Array2<f64> {
        x.dot(&self.weight.t()) + &self.bias
    }

    /// Shrinks outputs that may reach too far with inputs within ±`input_reach`.
    ///
    /// So far out a tanh is flat; no trained net comes near.
    pub(super) fn shrink(&mut self, input_reach: f64) {
        let limit = MARGIN * if self.hidden { HIDDEN_REACH } else { OUTPUT_REACH };
        let rows = self.weight.axis_iter_mut(Axis(0)).zip(&mut self.bias);
        for (mut weights, bias) in rows {
            let reach = reach(weights.view(), *bias, input_reach);
            if reach > limit {
                weights.mapv_inplace(|w| w * (limit / reach));
                *bias *= limit / reach;
            }
        }
    }
}

/// The most that an output can be.
fn reach(weights: ArrayView1<f64>, bias: f64, input_reach: f64) -> f64 {
    weights.iter().map(|w| w.abs()).sum::<f64>() * input_reach + bias.abs()
}

fn largest(weights: ArrayView1<f64>) -> f64 {
    weights.iter().fold(0.0, |largest, w| largest.max(w.abs()))
}

/// Rounds a first layer, whose input has `fraction_bits`.
///
/// `x` `[rows, inputs]` are the calibration rows in fixed point, `target` `[rows, outputs]` what
/// the layer should give.
pub(super) fn first(
    layer: &RealLayer,
    fraction_bits: u8,
    x: &Array2<f64>,
    target: &Array2<f64>,
) -> IntegerLayer {
    let shift = first_shift(layer, fraction_bits);
    let unit = power_of_two(shift + i32::from(fraction_bits) - PRODUCT_BITS - PRE_ACTIVATION_BITS);
    let bias_unit = power_of_two(shift - PRE_ACTIVATION_BITS);
    let whole = |value: f64, limit: f64| value.round().clamp(-limit, limit);
    let mut integer = IntegerLayer {
        shift: shift as u8,
        fraction_bits,
        exponent: 0,
        weight: layer.weight.mapv(|w| whole(w / unit, i16::MAX.into()) as i16),
        bias: layer
            .bias
            .iter()
            .map(|b| whole(b / bias_unit, i32::MAX.into()) as i32)
            .collect(),
        multiplier: Vec::new(),
    };
    // Products are rounded down: the mean error goes into the bias.
    let error = target - &integer.real(&integer.affine(x));
    if let Some(mean) = error.mean_axis(Axis(0)) {
        for (bias, mean) in integer.bias.iter_mut().zip(mean) {
            *bias = whole(f64::from(*bias) + mean / bias_unit, i32::MAX.into()) as i32;
        }
    }
    for o in 0..integer.bias.len() {
        let mut o_layer = Output { layer: &mut integer, o };
        o_layer.force_into_bounds(layer.hidden);
    }
    integer
}

/// The least shift at which all weights fit 16 bits and, in an output layer, all sums 32.
fn first_shift(layer: &RealLayer, fraction_bits: u8) -> i32 {
    let bits = i32::from(fraction_bits);
    let unit = power_of_two(bits - PRODUCT_BITS - PRE_ACTIVATION_BITS);
    let input_reach = INPUT_LIMIT as f64 * power_of_two(-bits);
    let rows = layer.weight.rows().into_iter().zip(&layer.bias);
    let needed = rows.map(|(weights, bias)| {
        let weight = largest(weights) / (f64::from(i16::MAX) * unit);
        let sum = reach(weights, *bias, input_reach) / (MARGIN * HIDDEN_REACH);
        if layer.hidden { weight } else { weight.max(sum) }
    });
    least_shift(needed.fold(0.0, f64::max))
}

/// The least shift with `2^shift ≥ needed`.
fn least_shift(needed: f64) -> i32 {
    (0..LARGEST_SHIFT).find(|&shift| power_of_two(shift) >= needed).unwrap_or(LARGEST_SHIFT)
}

/// Rounds another layer, whose input is in units of `2^(input_exponent − 15)`.
///
/// `x` `[rows, inputs]` are whole numbers, `target` `[rows, outputs]` what the layer should give.
pub(super) fn next(
    layer: &RealLayer,
    input_exponent: u8,
    x: &Array2<f64>,
    target: &Array2<f64>,
) -> IntegerLayer {
    let input_unit = power_of_two(i32::from(input_exponent) - ACTIVATION_BITS);
    let cost = Cost::new(&(x * input_unit));
    let fitted = Array2::from_shape_fn((layer.bias.len(), layer.weight.ncols() + 1), |_| 0.0);
    let mut fitted = fitted;
    for o in 0..layer.bias.len() {
        let mut values = Array1::zeros(layer.weight.ncols() + 1);
        values[0] = layer.bias[o];
        values.slice_mut(ndarray::s![1..]).assign(&layer.weight.row(o));
        fitted.row_mut(o).assign(&cost.refit(&values, target.column(o)));
    }
    // At multiplier 1 and shift 0 an accumulator's unit is 2^-36, and a weight's that by `input_unit`.
    let accumulator = power_of_two(-PRE_ACTIVATION_BITS - PRODUCT_BITS);
    let needed = |values: ArrayView1<f64>| {
        let weight = largest(values.slice(ndarray::s![1..])) * input_unit
            / (LARGEST_WEIGHT * accumulator);
        weight.max(values[0].abs() / (LARGEST_BIAS * accumulator))
    };
    let most = fitted.rows().into_iter().map(needed).fold(0.0, f64::max);
    let shift = least_shift(most / LARGEST_MULTIPLIER);
    let mut integer = IntegerLayer {
        shift: shift as u8,
        fraction_bits: 0,
        exponent: 0,
        weight: Array2::zeros(layer.weight.dim()),
        bias: vec![0; layer.bias.len()],
        multiplier: vec![0; layer.bias.len()],
    };
    for o in 0..layer.bias.len() {
        let values = fitted.row(o).to_owned();
        let full = needed(fitted.row(o)) / power_of_two(shift);
        let bias_least = (values[0].abs() / (LARGEST_BIAS * accumulator * power_of_two(shift))).ceil();
        let mut best: Option<(f64, Rounded)> = None;
        for scale in SCALES {
            let multiplier = (full * scale).ceil().max(bias_least).clamp(1.0, LARGEST_MULTIPLIER);
            if best.as_ref().is_some_and(|(m, _)| *m == multiplier) {
                continue;
            }
            let unit = multiplier * accumulator * power_of_two(shift);
            let grid = Grid {
                weight_unit: unit / input_unit,
                bias_unit: unit,
                weight_limit: LARGEST_WEIGHT,
                bias_limit: LARGEST_BIAS,
            };
            let rounded = cost.round(&values, grid);
            if best.as_ref().is_none_or(|(_, best)| rounded.cost < best.cost) {
                best = Some((multiplier, rounded));
            }
        }
        let (multiplier, rounded) = best.expect("there are scales to try");
        for (weight, rounded) in integer.weight.row_mut(o).iter_mut().zip(&rounded.weight) {
            *weight = *rounded as i16;
        }
        integer.multiplier[o] = multiplier as i16;
        // The multiplier's product is rounded down: half a unit makes up for it.
        let half = (32_768.0 / multiplier).round() as i64;
        integer.bias[o] = (rounded.bias + half) as i32;
        Output { layer: &mut integer, o }.force_into_bounds(layer.hidden);
    }
    integer
}

/// One output of a layer.
struct Output<'a> {
    layer: &'a mut IntegerLayer,
    o: usize,
}

impl Output<'_> {
    /// Takes back what rounding has carried over the runtime's bounds.
    fn force_into_bounds(&mut self, hidden: bool) {
        while !fits(self.layer, self.o, hidden) {
            // Towards 0, so that this ends.
            let shrink = |value: i64| value * 15 / 16;
            for weight in self.layer.weight.row_mut(self.o) {
                *weight = shrink((*weight).into()) as i16;
            }
            let bias = &mut self.layer.bias[self.o];
            *bias = shrink((*bias).into()) as i32;
        }
    }
}
