//! Flows of many shapes with random weights.

use std::cmp::Ordering;
use std::ops::Range;

use flowlet::StandardNormal;
use flowlet_trainer::flow::{Activation, Flow, FlowKind};
use flowlet_trainer::nn::{Dense, Mlp};
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;

use Activation::{Elu, Tanh};

/// The generator of all random flows and points.
pub type Generator = Xoshiro128PlusPlus;

/// A generator that gives the same numbers wherever the same seed is used.
pub fn generator(seed: u64) -> Generator {
    Generator::seed_from_u64(seed)
}

/// The sizes of a flow.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// Dimensions.
    pub dim: usize,
    /// Context numbers.
    pub context_dim: usize,
    /// Whether there is a factor.
    pub whitened: bool,
    /// The kind, with its own numbers.
    pub kind: FlowKind,
    /// Coupling layers; 1 for flow matching.
    pub net_count: usize,
    /// Units of the hidden layers.
    pub hidden: &'a [usize],
    /// Between the layers.
    pub activation: Activation,
}

/// RealNVPs, from the smallest to each limit of the format.
pub fn real_nvps() -> Vec<Flow> {
    let shape = |dim, context_dim, net_count, hidden, activation, scale_clip| Shape {
        dim,
        context_dim,
        whitened: context_dim != 1,
        kind: FlowKind::RealNvp { scale_clip },
        net_count,
        hidden,
        activation,
    };
    let shapes = [
        shape(1, 0, 1, &[][..], Tanh, 2.0),
        shape(1, 0, 2, &[4], Tanh, 2.0),
        shape(1, 32, 5, &[16, 16], Elu, 0.05),
        shape(2, 0, 1, &[1], Tanh, 2.0),
        shape(2, 0, 8, &[64, 64], Tanh, 2.0),
        shape(2, 1, 32, &[16], Tanh, 0.25),
        shape(2, 32, 2, &[], Tanh, 80.0),
        shape(3, 1, 5, &[8], Elu, 2.0),
        shape(3, 32, 4, &[256], Tanh, 2.0),
        shape(5, 0, 6, &[12; 7], Tanh, 2.0),
        shape(5, 1, 3, &[1, 256, 1], Tanh, 0.125),
        shape(64, 0, 2, &[128], Tanh, 2.0),
        shape(64, 32, 4, &[64, 64], Elu, 2.0),
        shape(64, 1, 32, &[16], Tanh, 0.5),
    ];
    named("random_real_nvp", &shapes)
}

/// Velocity fields, from the smallest to each limit of the format.
pub fn velocity_fields() -> Vec<Flow> {
    let shape = |dim, context_dim, hidden, activation, step_count| Shape {
        dim,
        context_dim,
        whitened: context_dim != 0,
        kind: FlowKind::FlowMatching { step_count },
        net_count: 1,
        hidden,
        activation,
    };
    let shapes = [
        shape(1, 0, &[][..], Elu, 1),
        shape(1, 32, &[1], Elu, 127),
        shape(2, 0, &[64, 64, 64], Elu, 100),
        shape(3, 1, &[8], Tanh, 128),
        shape(5, 32, &[256, 256], Elu, 20),
        shape(64, 0, &[32; 7], Elu, 16_384),
        shape(64, 32, &[128], Tanh, u16::MAX),
    ];
    named("random_flow_matching", &shapes)
}

fn named(name: &str, shapes: &[Shape<'_>]) -> Vec<Flow> {
    let flow = |(i, shape): (usize, &Shape<'_>)| Flow {
        name: format!("{name}_{i}"),
        ..random_flow(*shape, i as u64)
    };
    shapes.iter().enumerate().map(flow).collect()
}

/// A flow with random numbers throughout, without name.
pub fn random_flow(shape: Shape<'_>, seed: u64) -> Flow {
    let rng = &mut generator(seed);
    let Shape {
        dim, context_dim, ..
    } = shape;
    Flow {
        name: String::new(),
        labels: (0..dim + context_dim)
            .map(|i| format!("column {i}"))
            .collect(),
        dim,
        context_dim,
        mean: numbers(dim + context_dim, -3.0..3.0, rng),
        std: numbers(dim + context_dim, 0.25..4.0, rng),
        factor: shape.whitened.then(|| random_factor(dim, rng)),
        kind: shape.kind,
        nets: (0..shape.net_count)
            .map(|k| random_net(shape, k, rng))
            .collect(),
    }
}

/// `dim` normal numbers: a latent, or a point of standardized space.
pub fn random_latent(dim: usize, rng: &mut Generator) -> Vec<f32> {
    (0..dim).map(|_| StandardNormal.sample(rng)).collect()
}

fn numbers(count: usize, range: Range<f32>, rng: &mut Generator) -> Vec<f32> {
    (0..count)
        .map(|_| rng.random_range(range.clone()))
        .collect()
}

/// A lower triangle of which substitution makes numbers as large as they were.
fn random_factor(dim: usize, rng: &mut Generator) -> Array2<f32> {
    let largest = 0.5 / (dim as f32).sqrt();
    Array2::from_shape_fn((dim, dim), |(i, j)| match i.cmp(&j) {
        Ordering::Less => 0.0,
        Ordering::Equal => rng.random_range(0.5..1.0),
        Ordering::Greater => rng.random_range(-largest..largest),
    })
}

/// A point in the data's units, as far out as the training data would be.
pub fn random_point(flow: &Flow, rng: &mut Generator) -> Vec<f32> {
    random_columns(flow, 0..flow.dim, rng)
}

/// A context in its units, as far out as the training data's would be.
pub fn random_context(flow: &Flow, rng: &mut Generator) -> Vec<f32> {
    random_columns(flow, flow.dim..flow.dim + flow.context_dim, rng)
}

fn random_columns(flow: &Flow, columns: Range<usize>, rng: &mut Generator) -> Vec<f32> {
    let u = random_latent(columns.len(), rng);
    let columns = flow.mean[columns.clone()].iter().zip(&flow.std[columns]);
    columns
        .zip(u)
        .map(|((mean, std), u)| mean + std * u)
        .collect()
}

fn random_net(shape: Shape<'_>, k: usize, rng: &mut Generator) -> Mlp<f32> {
    let (inputs, outputs) = net_ends(shape, k);
    let sizes: Vec<usize> = [&[inputs], shape.hidden, &[outputs]].concat();
    Mlp {
        layers: sizes
            .windows(2)
            .map(|ends| random_layer(ends[0], ends[1], rng))
            .collect(),
        activation: shape.activation,
    }
}

fn net_ends(shape: Shape<'_>, k: usize) -> (usize, usize) {
    let Shape {
        dim, context_dim, ..
    } = shape;
    match shape.kind {
        FlowKind::RealNvp { .. } => {
            let moved = (0..dim).filter(|i| (i + k) % 2 == 1).count();
            (dim - moved + context_dim, 2 * moved)
        }
        FlowKind::FlowMatching { .. } => (dim + 1 + context_dim, dim),
    }
}

/// Weights of such a spread that an output is about as large as an input.
fn random_layer(inputs: usize, outputs: usize, rng: &mut Generator) -> Dense<f32> {
    let spread = 1.0 / (inputs.max(1) as f32).sqrt();
    Dense {
        weight: Array2::from_shape_simple_fn((outputs, inputs), || {
            spread * rng.random_range(-1.0..1.0)
        }),
        bias: Array1::from_shape_simple_fn(outputs, || rng.random_range(-0.25..0.25)),
    }
}
