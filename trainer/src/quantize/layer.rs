//! One affine layer, from real numbers to integers.

use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use rayon::prelude::*;

use super::integer::{
    ACTIVATION_BITS, INPUT_LIMIT, IntegerLayer, PRE_ACTIVATION_BITS, PRODUCT_BITS, fits,
    power_of_two,
};
use super::rounding::{Cost, Grid, Rounded};

/// Scales that are tried for each output, as shares of what its largest weight needs.
const SCALES: [f64; 9] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6];

/// A hidden layer's pre-activations stay below this, so that they have 20 fraction bits.
const HIDDEN_REACH: f64 = 2048.0;

/// The last layer's outputs stay below this, at the largest shift.
const OUTPUT_REACH: f64 = (1u32 << 24) as f64;

/// Share of the reach that weights and biases may take, so that rounding them up does not pass it.
const MARGIN: f64 = 0.99;

const LARGEST_SHIFT: u8 = 15;
const LARGEST_WEIGHT: f64 = 127.0;
const LARGEST_MULTIPLIER: f64 = i16::MAX as f64;
/// Half of what 32 bits hold: products have the other half.
const LARGEST_BIAS: f64 = (1u32 << 30) as f64;

/// Where nothing is multiplied by more than 1 or shifted, an accumulator is in this unit.
const LEAST_UNIT_BITS: i32 = PRE_ACTIVATION_BITS + PRODUCT_BITS;

/// An affine layer in `f64`.
#[derive(Clone, Debug)]
pub(super) struct RealLayer {
    /// `[outputs, inputs]`
    pub(super) weight: Array2<f64>,
    /// `[outputs]`
    pub(super) bias: Array1<f64>,
    /// Whether an activation follows.
    pub(super) hidden: bool,
}

impl RealLayer {
    /// `W x + b` of each row.
    pub(super) fn affine(&self, x: &Array2<f64>) -> Array2<f64> {
        x.dot(&self.weight.t()) + &self.bias
    }

    /// Shrinks each output that could pass its limit with inputs within ±`input_reach`.
    ///
    /// A tanh is flat so far out, and no net that was trained with sense comes near.
    pub(super) fn shrink(&mut self, input_reach: f64) {
        let limit = if self.hidden {
            HIDDEN_REACH
        } else {
            OUTPUT_REACH
        };
        let outputs = self.weight.axis_iter_mut(Axis(0)).zip(&mut self.bias);
        for (mut weights, bias) in outputs {
            let share = MARGIN * limit / reach(weights.view(), *bias, input_reach);
            if share < 1.0 {
                weights.mapv_inplace(|w| w * share);
                *bias *= share;
            }
        }
    }

    /// Rounds the layer as a first one, whose input has `fraction_bits`.
    ///
    /// # Shapes
    ///
    /// `x` `[rows, inputs]`, calibration rows in fixed point; `target` `[rows, outputs]`, what the
    /// layer should make of them.
    pub(super) fn round_first(
        &self,
        fraction_bits: u8,
        x: &Array2<f64>,
        target: &Array2<f64>,
    ) -> IntegerLayer {
        let shift = self.first_shift(fraction_bits);
        let weight_unit =
            power_of_two(i32::from(shift) + i32::from(fraction_bits) - LEAST_UNIT_BITS);
        let bias_unit = power_of_two(i32::from(shift) - PRE_ACTIVATION_BITS);
        let weight = |w: f64| whole(w / weight_unit, i16::MAX.into()) as i16;
        let bias = |b: f64| whole(b / bias_unit, i32::MAX.into()) as i32;
        let mut layer = IntegerLayer {
            shift,
            fraction_bits,
            exponent: 0,
            weight: self.weight.mapv(weight),
            bias: self.bias.iter().map(|b| bias(*b)).collect(),
            multiplier: Vec::new(),
        };
        // Products are rounded down: biases take over the mean error.
        let error = target - &layer.real(&layer.affine(x));
        if let Some(mean) = error.mean_axis(Axis(0)) {
            let biases = self.bias.iter().zip(mean);
            layer.bias = biases.map(|(b, mean)| bias(b + mean)).collect();
        }
        self.force_into_bounds(&mut layer);
        layer
    }

    /// The least shift at which weights fit 16 bits and the sums of an output layer 32.
    fn first_shift(&self, fraction_bits: u8) -> u8 {
        let bits = i32::from(fraction_bits);
        let largest_weight = f64::from(i16::MAX) * power_of_two(bits - LEAST_UNIT_BITS);
        let input_reach = INPUT_LIMIT as f64 * power_of_two(-bits);
        let outputs = self.weight.rows().into_iter().zip(&self.bias);
        let needed = outputs.map(|(weights, bias)| {
            let weight = largest(weights) / largest_weight;
            let sum = reach(weights, *bias, input_reach) / (MARGIN * HIDDEN_REACH);
            if self.hidden { weight } else { weight.max(sum) }
        });
        least_shift(needed.fold(0.0, f64::max))
    }

    /// Rounds the layer as one after the first, whose input is in units of
    /// `2^(input_exponent − 15)`.
    ///
    /// # Shapes
    ///
    /// `x` `[rows, inputs]`, whole numbers; `target` `[rows, outputs]`, what the layer should make of
    /// them.
    pub(super) fn round_next(
        &self,
        input_exponent: u8,
        x: &Array2<f64>,
        target: &Array2<f64>,
    ) -> IntegerLayer {
        let input_unit = power_of_two(i32::from(input_exponent) - ACTIVATION_BITS);
        let cost = Cost::new(&(x * input_unit));
        let outputs = 0..self.bias.len();
        let fitted: Vec<Array1<f64>> = outputs
            .into_par_iter()
            .map(|o| cost.refit(self.values(o).view(), target.column(o)))
            .collect();
        let least_multiplier = fitted.iter().map(|v| multiplier_for(v.view(), input_unit));
        let shift = least_shift(least_multiplier.fold(0.0, f64::max) / LARGEST_MULTIPLIER);
        let rounded: Vec<(f64, Rounded)> = fitted
            .par_iter()
            .map(|values| best_rounding(&cost, values, shift, input_unit))
            .collect();

        let weights = rounded.iter().flat_map(|(_, r)| &r.weight);
        let mut layer = IntegerLayer {
            shift,
            fraction_bits: 0,
            exponent: 0,
            weight: Array2::from_shape_vec(self.weight.dim(), weights.copied().collect())
                .expect("each output has its weights"),
            bias: rounded
                .iter()
                .map(|(m, r)| r.bias + half_unit(*m))
                .collect(),
            multiplier: rounded.iter().map(|(m, _)| *m as i16).collect(),
        };
        self.force_into_bounds(&mut layer);
        layer
    }

    /// The bias of output `o`, then its weights.
    fn values(&self, o: usize) -> Array1<f64> {
        let weights = self.weight.row(o).into_iter().copied();
        [self.bias[o]].into_iter().chain(weights).collect()
    }

    /// Takes back what rounding has carried over the runtime's bounds.
    fn force_into_bounds(&self, layer: &mut IntegerLayer) {
        for o in 0..layer.bias.len() {
            while !fits(layer, o, self.hidden) {
                // Towards 0, so that this ends.
                let mut weights = layer.weight.row_mut(o);
                weights.mapv_inplace(|w| (i32::from(w) * 15 / 16) as i16);
                layer.bias[o] -= layer.bias[o] / 16 + layer.bias[o].signum();
            }
        }
    }
}

/// The rounding, and the multiplier under it, that costs least.
///
/// A multiplier is a whole number and makes the weights' unit, so it has no error of its own.
fn best_rounding(cost: &Cost, values: &Array1<f64>, shift: u8, input_unit: f64) -> (f64, Rounded) {
    let least_unit = power_of_two(i32::from(shift) - LEAST_UNIT_BITS);
    let needed = multiplier_for(values.view(), input_unit) * power_of_two(-i32::from(shift));
    let for_bias = values[0].abs() / (LARGEST_BIAS * least_unit);
    let mut multipliers = SCALES
        .map(|share| {
            let multiplier = (needed * share).max(for_bias).ceil();
            multiplier.clamp(1.0, LARGEST_MULTIPLIER)
        })
        .to_vec();
    multipliers.dedup();
    let rounded = multipliers.into_iter().map(|multiplier| {
        let unit = multiplier * least_unit;
        let grid = Grid {
            weight_unit: unit / input_unit,
            weight_limit: LARGEST_WEIGHT,
            bias_unit: unit,
            bias_limit: LARGEST_BIAS,
        };
        (multiplier, cost.round(values, grid))
    });
    rounded
        .min_by(|(_, a), (_, b)| a.cost.total_cmp(&b.cost))
        .expect("there is a scale to try")
}

/// The multiplier, without a shift, that just lets a bias and the weights after it fit.
fn multiplier_for(values: ArrayView1<f64>, input_unit: f64) -> f64 {
    let weight = largest(values.slice(s![1..])) * input_unit / LARGEST_WEIGHT;
    let bias = values[0].abs() / LARGEST_BIAS;
    weight.max(bias) * power_of_two(LEAST_UNIT_BITS)
}

/// Half a unit of what the multiplier gives, which it rounds down.
fn half_unit(multiplier: f64) -> i32 {
    (power_of_two(PRODUCT_BITS - 1) / multiplier).round() as i32
}

/// The most that an output can be.
fn reach(weights: ArrayView1<f64>, bias: f64, input_reach: f64) -> f64 {
    weights.iter().map(|w| w.abs()).sum::<f64>() * input_reach + bias.abs()
}

fn largest(weights: ArrayView1<f64>) -> f64 {
    weights.iter().fold(0.0, |largest, w| largest.max(w.abs()))
}

/// The least shift with `2^shift ≥ needed`.
fn least_shift(needed: f64) -> u8 {
    let mut shifts = 0..LARGEST_SHIFT;
    let shift = shifts.find(|shift| power_of_two((*shift).into()) >= needed);
    shift.unwrap_or(LARGEST_SHIFT)
}

fn whole(value: f64, limit: f64) -> f64 {
    value.round().clamp(-limit, limit)
}
