//! RealNVP by maximum likelihood.

use std::f64::consts::TAU;

use flowlet::format::Activation;
use ndarray::{Array2, ArrayView2};
use rand::Rng;

use crate::fit::objective::Objective;
use crate::nn::{Mlp, Pass, Scalar};

/// Largest magnitude of the log-scale `s`.
pub const SCALE_CLIP: f32 = 2.0;

/// The last layer's weights relative to their usual size: the flow starts close to the identity.
const LAST_GAIN: f64 = 0.01;

/// The negative log-likelihood of a RealNVP, in nats, in standardized space.
///
/// Layer k moves the dimensions i with (i + k) odd by a net that reads the others and the context:
/// moved′ = moved · eˢ + t, with `s` clipped to ±[`SCALE_CLIP`]. After all layers the row is z, and
/// its loss is ½ ‖z‖² + ½ D ln 2π − Σ s.
///
/// # Source
///
/// Dinh, Sohl-Dickstein and Bengio, *Density Estimation Using Real NVP*, 2017.
#[derive(Clone, Debug)]
pub struct RealNvp {
    dim: usize,
    context_dim: usize,
    couplings: Vec<Coupling>,
}

/// Which dimensions a layer keeps, and which it moves.
#[derive(Clone, Debug)]
struct Coupling {
    kept: Vec<usize>,
    moved: Vec<usize>,
}

/// Rows on their way through all couplings.
#[derive(Clone, Debug)]
pub struct RealNvpShard<A> {
    context: Array2<A>,
    /// The rows, from `x` at first to `z` at the end.
    state: Array2<A>,
    /// The loss's gradient by `state`.
    gradient: Array2<A>,
    steps: Vec<Step<A>>,
}

/// What the way back needs to know of one coupling.
#[derive(Clone, Debug)]
struct Step<A> {
    pass: Pass<A>,
    /// The moved dimensions, as they came in.
    before: Array2<A>,
    /// eˢ
    scale: Array2<A>,
}

impl RealNvp {
    /// `layers` couplings over `dim` dimensions, given `context_dim` context numbers.
    pub fn new(dim: usize, context_dim: usize, layers: usize) -> Self {
        let couplings = (0..layers)
            .map(|k| {
                let (moved, kept) = (0..dim).partition(|i| (i + k) % 2 == 1);
                Coupling { kept, moved }
            })
            .collect();
        Self {
            dim,
            context_dim,
            couplings,
        }
    }

    /// x to z; the log-likelihood lost is added up over the rows.
    fn forward<A: Scalar>(&self, nets: &[Mlp<A>], shard: &mut RealNvpShard<A>) -> f64 {
        let mut loss = 0.0;
        for ((coupling, net), step) in self.couplings.iter().zip(nets).zip(&mut shard.steps) {
            coupling.read(&shard.state, &shard.context, step.pass.input_mut());
            step.pass.forward(net);
            loss -= coupling.forward(&mut shard.state, step);
        }
        let squares: f64 = shard.state.iter().map(|&z| z.to_f64() * z.to_f64()).sum();
        loss + 0.5 * squares + 0.5 * TAU.ln() * shard.state.len() as f64
    }
}

impl<A: Scalar> Objective<A> for RealNvp {
    type Shard = RealNvpShard<A>;

    fn nets<G: Rng>(&self, hidden: &[usize], rng: &mut G) -> Vec<Mlp<A>> {
        let widths = |coupling: &Coupling| {
            let inputs = coupling.kept.len() + self.context_dim;
            [&[inputs], hidden, &[2 * coupling.moved.len()]].concat()
        };
        let couplings = self.couplings.iter();
        couplings
            .map(|coupling| Mlp::random(&widths(coupling), Activation::Tanh, LAST_GAIN, rng))
            .collect()
    }

    fn shard(&self, nets: &[Mlp<A>], rows: usize) -> Self::Shard {
        let couplings = self.couplings.iter().zip(nets);
        let steps = couplings.map(|(coupling, net)| Step {
            pass: Pass::new(net, rows),
            before: Array2::zeros((rows, coupling.moved.len())),
            scale: Array2::zeros((rows, coupling.moved.len())),
        });
        RealNvpShard {
            context: Array2::zeros((rows, self.context_dim)),
            state: Array2::zeros((rows, self.dim)),
            gradient: Array2::zeros((rows, self.dim)),
            steps: steps.collect(),
        }
    }

    fn load<G: Rng>(
        &self,
        points: ArrayView2<f32>,
        context: ArrayView2<f32>,
        indices: &[usize],
        _: &mut G,
        shard: &mut Self::Shard,
    ) {
        for (row, &index) in indices.iter().enumerate() {
            let convert = |&value: &f32| A::from_f64(f64::from(value));
            shard
                .state
                .row_mut(row)
                .assign(&points.row(index).map(convert));
            shard
                .context
                .row_mut(row)
                .assign(&context.row(index).map(convert));
        }
    }

    fn loss(&self, nets: &[Mlp<A>], shard: &mut Self::Shard) -> f64 {
        self.forward(nets, shard)
    }

    fn loss_and_gradient(
        &self,
        nets: &[Mlp<A>],
        shard: &mut Self::Shard,
        gradient: &mut [Mlp<A>],
    ) -> f64 {
        let loss = self.forward(nets, shard);
        shard.gradient.assign(&shard.state);
        let steps = shard.steps.iter_mut().zip(&self.couplings);
        for (((step, coupling), net), gradient) in steps.zip(nets).zip(gradient).rev() {
            coupling.backward(&mut shard.gradient, step);
            step.pass.backward_to_input(net, gradient);
            coupling.add_input_gradient(step.pass.input_gradient(), &mut shard.gradient);
        }
        loss
    }
}

impl Coupling {
    /// What the net reads: the kept dimensions, then the context.
    fn read<A: Scalar>(&self, state: &Array2<A>, context: &Array2<A>, input: &mut Array2<A>) {
        for (column, &i) in self.kept.iter().enumerate() {
            input.column_mut(column).assign(&state.column(i));
        }
        for (column, values) in context.columns().into_iter().enumerate() {
            input.column_mut(self.kept.len() + column).assign(&values);
        }
    }

    /// moved · eˢ + t; gives the sum of all `s`.
    fn forward<A: Scalar>(&self, state: &mut Array2<A>, step: &mut Step<A>) -> f64 {
        let Step {
            pass,
            before,
            scale,
        } = step;
        let output = pass.output();
        let mut log_det = 0.0;
        for (column, &i) in self.moved.iter().enumerate() {
            for row in 0..state.nrows() {
                let s = clip(output[[row, column]]);
                let t = output[[row, self.moved.len() + column]];
                let e = s.quick_exp();
                log_det += s.to_f64();
                before[[row, column]] = state[[row, i]];
                scale[[row, column]] = e;
                state[[row, i]] = state[[row, i]] * e + t;
            }
        }
        log_det
    }

    /// The gradient by moved′ to that by moved, and to that by the net's output.
    ///
    /// ∂/∂t = ∂/∂moved′ and ∂/∂s = ∂/∂moved′ · moved · eˢ − 1, but 0 where `s` is clipped.
    fn backward<A: Scalar>(&self, gradient: &mut Array2<A>, step: &mut Step<A>) {
        let Step {
            pass,
            before,
            scale,
        } = step;
        let (output, output_gradient) = pass.output_and_gradient_mut();
        for (column, &i) in self.moved.iter().enumerate() {
            for row in 0..gradient.nrows() {
                let by_t = gradient[[row, i]];
                let by_moved = by_t * scale[[row, column]];
                let by_s = by_moved * before[[row, column]] - A::one();
                let s = output[[row, column]];
                let free = clip(s) == s;
                output_gradient[[row, column]] = if free { by_s } else { A::zero() };
                output_gradient[[row, self.moved.len() + column]] = by_t;
                gradient[[row, i]] = by_moved;
            }
        }
    }

    /// The kept dimensions also count through the net.
    fn add_input_gradient<A: Scalar>(&self, input: &Array2<A>, gradient: &mut Array2<A>) {
        for (column, &i) in self.kept.iter().enumerate() {
            let mut sum = gradient.column_mut(i);
            sum += &input.column(column);
        }
    }
}

fn clip<A: Scalar>(s: A) -> A {
    let bound = A::from_f64(f64::from(SCALE_CLIP));
    // Not by `max` and `min`, which would turn NaN into a bound.
    if s > bound {
        bound
    } else if s < -bound {
        -bound
    } else {
        s
    }
}
