//! From a trained flow to integer nets: int8 weights, int16 activations, int32 sums.
//!
//! Layer by layer, calibration rows pass through what is integer already; each layer's weights are
//! then rounded so that it gives with that input what the trained net gives in `f32`.

mod calibration;
mod context;
mod integer;
mod interpolation;
mod layer;
mod loss;
mod rounding;

use flowlet::Precision;
use flowlet::format::Activation;
use ndarray::Array2;

pub use calibration::Rows;
pub use integer::{IntegerLayer, IntegerNet};
pub use loss::{Loss, Pair, loss};

use crate::error::Error;
use crate::export::export;
use crate::flow::Flow;
use crate::inference::check_columns;
use crate::nn::Mlp;
use calibration::Calibration;
use context::within_reach;
use integer::{INPUT_LIMIT, fixed, power_of_two};
use interpolation::Interpolation;
use layer::RealLayer;

/// Fraction bits of a net's input where nothing asks for fewer: it then reaches to ±16.
const FRACTION_BITS: u8 = 22;

/// Inputs may be so many times larger than on calibration rows.
const INPUT_HEADROOM: f64 = 2.0;

/// Activations may be so many times larger than on calibration rows.
const ACTIVATION_HEADROOM: f64 = 1.25;

/// Largest exponent of an activation.
const LARGEST_EXPONENT: u8 = 15;

/// A flow whose nets are integers.
#[derive(Clone, Debug)]
pub struct QuantizedFlow {
    /// All but the nets. Its context may be standardized anew.
    pub flow: Flow,
    /// As many as the flow has.
    pub nets: Vec<IntegerNet>,
}

/// Rounds the nets of a flow to integers, so that they do well where its data lie.
///
/// The flow's own samples are calibrated on, and `rows` too where there are any.
///
/// # Errors
///
/// As [`export`]; [`Error::Runtime`] where the rows have not the flow's columns.
///
/// # Panics
///
/// If there are not as many rows of points as of context.
pub fn quantize(flow: &Flow, rows: Option<Rows<'_>>) -> Result<QuantizedFlow, Error> {
    // All that may be wrong with a flow is told here, before its numbers are used.
    let file = export(flow, Precision::F32)?;
    let flow = match &rows {
        None => flow.clone(),
        Some(rows) => {
            check_columns(&file.model()?, rows.points.ncols(), rows.context.ncols())?;
            within_reach(flow, rows.context)
        }
    };
    let file = export(&flow, Precision::F32)?;
    let mut calibration = Calibration::new(&flow, &file.model()?, rows)?;
    let nets = flow.nets.iter().enumerate();
    let nets = nets.map(|(k, net)| {
        let input = calibration.input(k);
        let (integer, output) = quantize_net(net, &input);
        calibration.apply(k, &output);
        integer
    });
    let nets = nets.collect();
    Ok(QuantizedFlow { flow, nets })
}

/// Rounds a net, and gives what it then makes of `input`.
fn quantize_net(net: &Mlp<f32>, input: &Array2<f64>) -> (IntegerNet, Array2<f64>) {
    let table = Interpolation::new(net.activation);
    let fraction_bits = fraction_bits(input);
    let mut reach = INPUT_LIMIT as f64 * power_of_two(-i32::from(fraction_bits));
    let mut exact = input.clone();
    let mut x = fixed(input, fraction_bits);
    let mut layers = Vec::new();
    let mut exponent = 0;
    for (j, dense) in net.layers.iter().enumerate() {
        let hidden = j + 1 < net.layers.len();
        let mut real = RealLayer {
            weight: dense.weight.mapv(f64::from),
            bias: dense.bias.mapv(f64::from),
            hidden,
        };
        real.shrink(reach);
        let target = real.affine(&exact);
        let mut integer = if j == 0 {
            real.round_first(fraction_bits, &x, &target)
        } else {
            real.round_next(exponent, &x, &target)
        };
        let z = integer.affine(&x);
        if hidden {
            exact = target.mapv(|a| activate(net.activation, a));
            exponent = activation_exponent(net.activation, &exact);
            integer.exponent = exponent;
            reach = power_of_two(exponent.into());
            x = integer.activate(&z, &table);
        } else {
            exact = integer.real(&z);
        }
        layers.push(integer);
    }
    let integer = IntegerNet {
        layers,
        activation: net.activation,
    };
    (integer, exact)
}

fn activate(activation: Activation, a: f64) -> f64 {
    match activation {
        Activation::Tanh => a.tanh(),
        Activation::Elu if a > 0.0 => a,
        Activation::Elu => a.exp_m1(),
    }
}

/// The most bits that leave room for the inputs.
fn fraction_bits(input: &Array2<f64>) -> u8 {
    let limit = INPUT_LIMIT as f64;
    let largest = INPUT_HEADROOM * largest(input);
    let fits = |bits: &u8| largest * power_of_two((*bits).into()) <= limit;
    (0..=FRACTION_BITS).rev().find(fits).unwrap_or(0)
}

/// The least exponent that leaves room for the activations.
fn activation_exponent(activation: Activation, values: &Array2<f64>) -> u8 {
    match activation {
        Activation::Tanh => 0,
        Activation::Elu => {
            let largest = ACTIVATION_HEADROOM * largest(values);
            let fits = |exponent: &u8| largest <= power_of_two((*exponent).into());
            (0..LARGEST_EXPONENT).find(fits).unwrap_or(LARGEST_EXPONENT)
        }
    }
}

fn largest(values: &Array2<f64>) -> f64 {
    values
        .iter()
        .fold(0.0, |largest, value| largest.max(value.abs()))
}

#[cfg(test)]
mod tests {
    use flowlet::{MAX_SCRATCH_LEN, Scratch};
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::flow::FlowKind;

    fn field(activation: Activation, hidden: &[usize]) -> Flow {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(3);
        let widths = [&[4], hidden, &[3]].concat();
        let mut net = Mlp::random(&widths, activation, rng);
        // Beyond where tables end, and weights beyond 1.
        net.layers[0].scale(9.0);
        Flow {
            name: "field".into(),
            labels: vec![],
            dim: 3,
            context_dim: 0,
            mean: vec![0.0; 3],
            std: vec![1.0; 3],
            factor: None,
            kind: FlowKind::FlowMatching { step_count: 3 },
            nets: vec![net],
        }
    }

    /// Else nets would be calibrated on what no board computes.
    #[test]
    fn a_net_gives_the_same_bits_here_and_in_the_runtime() {
        for activation in [Activation::Tanh, Activation::Elu] {
            for hidden in [&[][..], &[5], &[9, 6], &[64, 64, 1]] {
                let flow = field(activation, hidden);
                let calibration = Calibration::new(
                    &flow,
                    &export(&flow, Precision::F32).unwrap().model().unwrap(),
                    None,
                );
                let input = calibration.unwrap().input(0).mapv(|u| f64::from(u as f32));
                let (net, output) = quantize_net(&flow.nets[0], &input);
                let nets = vec![net];
                let flow = flow.clone();
                let file = QuantizedFlow { flow, nets }.export().unwrap();
                let model = file.model().unwrap();
                let field = model.velocity_field().unwrap();
                for (input, output) in input.rows().into_iter().zip(output.rows()).take(500) {
                    let input: Vec<f32> = input.iter().map(|u| *u as f32).collect();
                    let mut v = [0.0; 3];
                    let scratch = &mut Scratch::<MAX_SCRATCH_LEN>::new();
                    field
                        .velocity(&input[..3], input[3], &[], &mut v, scratch)
                        .unwrap();
                    let expected: Vec<f32> = output.iter().map(|y| *y as f32).collect();
                    assert_eq!(v.as_slice(), expected, "{activation:?} {hidden:?}");
                }
            }
        }
    }
}
