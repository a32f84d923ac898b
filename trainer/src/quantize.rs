//! From a trained flow to integer nets: int8 weights, int16 activations, int32 sums.
//!
//! Layer by layer, calibration rows pass through what is integer already; each layer's weights are
//! then rounded so that it gives with that input what the trained net gives in `f32`.

mod calibration;
mod integer;
mod interpolation;
mod layer;
mod rounding;

use flowlet::Precision;
use flowlet::format::Activation;
use ndarray::Array2;

pub use calibration::Rows;
pub use integer::{IntegerLayer, IntegerNet};

use crate::error::Error;
use crate::export::export;
use crate::flow::Flow;
use crate::nn::Mlp;
use calibration::Calibration;
use integer::{INPUT_LIMIT, fixed, power_of_two};
use interpolation::Interpolation;
use layer::RealLayer;

/// Fraction bits of a net's input where nothing asks for fewer: it then reaches to ±16.
const FRACTION_BITS: u8 = 26;

/// Inputs may be so many times larger than on calibration rows.
const INPUT_HEADROOM: f64 = 2.0;

/// Activations may be so many times larger than on calibration rows.
const ACTIVATION_HEADROOM: f64 = 1.5;

/// Largest exponent of an activation.
const LARGEST_EXPONENT: u8 = 15;

/// A flow whose nets are integers.
#[derive(Clone, Debug)]
pub struct QuantizedFlow<'a> {
    /// All but the nets.
    pub flow: &'a Flow,
    /// As many as the flow has.
    pub nets: Vec<IntegerNet>,
}

/// Rounds the nets of a flow to integers, so that they do well where its data lie.
///
/// The flow's own samples are calibrated on, and `rows` too where there are any.
///
/// # Errors
///
/// As [`export`]; [`Error::Runtime`] where the rows are not the flow's.
pub fn quantize<'a>(flow: &'a Flow, rows: Option<Rows<'_>>) -> Result<QuantizedFlow<'a>, Error> {
    // All that may be wrong with a flow is told here, before its numbers are used.
    let file = export(flow, Precision::F32)?;
    let mut calibration = Calibration::new(flow, &file.model()?, rows)?;
    let nets = flow.nets.iter().enumerate();
    let nets = nets.map(|(k, net)| {
        let input = calibration.input(k);
        let (integer, output) = quantize_net(net, &input);
        calibration.apply(k, &output);
        integer
    });
    Ok(QuantizedFlow {
        flow,
        nets: nets.collect(),
    })
}

/// Rounds a net, and gives what it then makes of `input`.
fn quantize_net(net: &Mlp<f32>, input: &Array2<f64>) -> (IntegerNet, Array2<f64>) {
    let table = Interpolation::new(net.activation);
    let fraction_bits = fraction_bits(input);
    let mut reach = INPUT_LIMIT as f64 * power_of_two(-i32::from(fraction_bits));
    let mut exact = input.clone();
    if std::env::var("QX").is_ok() { eprint!(" F{fraction_bits}"); }
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
            layer::first(&real, fraction_bits, &x, &target)
        } else {
            layer::next(&real, exponent, &x, &target)
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
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}
