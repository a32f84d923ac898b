//! Flows evaluated in `f64`, as plainly as the formulas read.
//!
//! This shares no code with the runtime; it starts from the weights before they are a file.

use std::f64::consts::TAU;

use flowlet_trainer::flow::{Activation, Flow, FlowKind};
use flowlet_trainer::nn::Mlp;
use ndarray::arr1;

/// Takes data `x` to its latent `z`, and gives `ln |det dz/dx|`.
pub fn forward(flow: &Flow, x: &[f64], context: &[f64]) -> (Vec<f64>, f64) {
    let mut u = whitened(flow, standardized(flow, 0, x));
    let mut log_det = -ln_scale_sum(flow);
    for k in 0..flow.nets.len() {
        for (i, s, t) in scales_and_shifts(flow, k, &u, context) {
            u[i] = u[i] * s.exp() + t;
            log_det += s;
        }
    }
    (u, log_det)
}

/// Takes a latent `z` to data `x`, and gives `ln |det dx/dz|`.
pub fn inverse(flow: &Flow, z: &[f64], context: &[f64]) -> (Vec<f64>, f64) {
    let mut u = z.to_vec();
    let mut log_det = ln_scale_sum(flow);
    for k in (0..flow.nets.len()).rev() {
        for (i, s, t) in scales_and_shifts(flow, k, &u, context) {
            u[i] = (u[i] - t) / s.exp();
            log_det -= s;
        }
    }
    (to_data(flow, &u), log_det)
}

/// `ln p(x)`.
pub fn log_prob(flow: &Flow, x: &[f64], context: &[f64]) -> f64 {
    let (z, log_det) = forward(flow, x, context);
    log_normal(&z) + log_det
}

/// `ln N(z; 0, I)`.
pub fn log_normal(z: &[f64]) -> f64 {
    z.iter().map(|z| -0.5 * (z * z + TAU.ln())).sum()
}

/// The velocity at `x` and `t`, in standardized space.
pub fn velocity(flow: &Flow, x: &[f64], t: f64, context: &[f64]) -> Vec<f64> {
    let context = standardized(flow, flow.dim, context);
    net(&flow.nets[0], &[x, &[t], &context].concat())
}

/// Where `n` steps of Euler's method take the noise `x_0`, in the data's units.
pub fn euler(flow: &Flow, x_0: &[f64], n: u16, context: &[f64]) -> Vec<f64> {
    let mut x = x_0.to_vec();
    for k in 0..n {
        let v = velocity(flow, &x, f64::from(k) / f64::from(n), context);
        for (x, v) in x.iter_mut().zip(v) {
            *x += v / f64::from(n);
        }
    }
    to_data(flow, &x)
}

/// The same numbers in `f64`.
pub fn widened(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// For each dimension that layer `k` moves: its index, its clipped `s`, its `t`.
fn scales_and_shifts(flow: &Flow, k: usize, u: &[f64], context: &[f64]) -> Vec<(usize, f64, f64)> {
    let FlowKind::RealNvp { scale_clip } = flow.kind else {
        panic!("only a RealNVP has couplings");
    };
    let (moved, kept): (Vec<usize>, Vec<usize>) = (0..flow.dim).partition(|i| (i + k) % 2 == 1);
    let kept: Vec<f64> = kept.into_iter().map(|i| u[i]).collect();
    let context = standardized(flow, flow.dim, context);
    let output = net(&flow.nets[k], &[kept, context].concat());
    let clip = f64::from(scale_clip);
    let step =
        |(j, &i): (usize, &usize)| (i, output[j].clamp(-clip, clip), output[moved.len() + j]);
    moved.iter().enumerate().map(step).collect()
}

fn net(net: &Mlp<f32>, input: &[f64]) -> Vec<f64> {
    let mut values = input.to_vec();
    for (j, layer) in net.layers.iter().enumerate() {
        values = (0..layer.bias.len())
            .map(|i| {
                let products = layer.weight.row(i).into_iter().zip(&values);
                f64::from(layer.bias[i]) + products.map(|(w, x)| f64::from(*w) * x).sum::<f64>()
            })
            .collect();
        if j + 1 < net.layers.len() {
            values
                .iter_mut()
                .for_each(|a| *a = activation(net.activation, *a));
        }
    }
    values
}

fn activation(activation: Activation, a: f64) -> f64 {
    match activation {
        Activation::Tanh => a.tanh(),
        Activation::Elu if a > 0.0 => a,
        Activation::Elu => a.exp_m1(),
    }
}

/// (value − mean) / std, for the columns from `start`.
fn standardized(flow: &Flow, start: usize, values: &[f64]) -> Vec<f64> {
    let columns = flow.mean[start..].iter().zip(&flow.std[start..]);
    let columns = columns.zip(values);
    columns
        .map(|((mean, std), value)| (value - f64::from(*mean)) / f64::from(*std))
        .collect()
}

/// F⁻¹ v, by the inverse of a triangular matrix, column by column.
fn whitened(flow: &Flow, v: Vec<f64>) -> Vec<f64> {
    let Some(factor) = &flow.factor else {
        return v;
    };
    let mut rest = v;
    for j in 0..flow.dim {
        rest[j] /= f64::from(factor[[j, j]]);
        for i in j + 1..flow.dim {
            rest[i] -= f64::from(factor[[i, j]]) * rest[j];
        }
    }
    rest
}

fn to_data(flow: &Flow, u: &[f64]) -> Vec<f64> {
    let v = match &flow.factor {
        None => u.to_vec(),
        Some(factor) => factor.mapv(f64::from).dot(&arr1(u)).to_vec(),
    };
    (0..flow.dim)
        .map(|i| f64::from(flow.mean[i]) + f64::from(flow.std[i]) * v[i])
        .collect()
}

fn ln_scale_sum(flow: &Flow) -> f64 {
    let std = flow.std[..flow.dim].iter();
    let diagonal = flow.factor.iter().flat_map(|factor| factor.diag());
    let scales = std.chain(diagonal);
    scales.map(|scale| f64::from(*scale).ln()).sum()
}
