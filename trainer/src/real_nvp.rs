//! RealNVP by maximum likelihood.

use std::f64::consts::TAU;

use flowlet::format::Activation;
use ndarray::ArrayView2;
use pulp::{Simd, WithSimd};
use rand::Rng;

use crate::fit::objective::{self, Objective};
use crate::nn::{Mlp, Pass, ROWS, Row, Scalar, kernel};
use crate::outliers::Outliers;

/// Largest magnitude of the log-scale `s`.
pub const SCALE_CLIP: f32 = 2.0;

/// Steeper hidden units than usual: the densities of tables have edges. Moons are fitted 0.005 nats
/// better than at 1.
const FIRST_GAIN: f64 = 3.0;

/// Next to nothing, so that the flow starts close to the identity.
const LAST_GAIN: f64 = 0.01;

/// The negative log-likelihood of a RealNVP, in nats, in standardized space.
///
/// Layer k moves the dimensions i with (i + k) odd by a net that reads the others and the context:
/// moved′ = moved · eˢ + t, with `s` clipped to ±[`SCALE_CLIP`]. After all layers the row is z, and
/// its loss is ½ ‖z‖² + ½ D ln 2π − Σ s, and Σ ln F_ii where the rows were whitened.
///
/// # Source
///
/// Dinh, Sohl-Dickstein and Bengio, *Density Estimation Using Real NVP*, 2017.
#[derive(Clone, Debug)]
pub struct RealNvp {
    dim: usize,
    context_dim: usize,
    couplings: Vec<Coupling>,
    /// Σ ln F_ii, or 0.
    log_diagonal: f64,
    outliers: Outliers,
}

/// Which dimensions a layer keeps, and which it moves.
#[derive(Clone, Debug)]
struct Coupling {
    kept: Vec<usize>,
    moved: Vec<usize>,
}

/// Rows to train on.
#[derive(Clone, Debug)]
pub struct RealNvpShard<A> {
    /// Rows there are; the others are zeros and count for nothing.
    count: usize,
    /// `[dim, ROWS]`
    points: Vec<Row<A>>,
    context: Vec<Row<A>>,
}

/// Rows on their way through all couplings.
#[derive(Clone, Debug)]
pub struct RealNvpRoom<A> {
    /// The rows, from `x` at first to `z` at the end: `[dim, ROWS]`.
    state: Vec<Row<A>>,
    /// The loss's gradient by `state`.
    gradient: Vec<Row<A>>,
    steps: Vec<Step<A>>,
}

/// What the way back needs to know of one coupling.
#[derive(Clone, Debug)]
struct Step<A> {
    pass: Pass<A>,
    /// The moved dimensions, as they came in.
    before: Vec<Row<A>>,
    /// eˢ
    scale: Vec<Row<A>>,
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
            log_diagonal: 0.0,
            outliers: Outliers::NONE,
        }
    }

    /// The same for rows that were whitened by a factor with this Σ ln F_ii, so that losses are of
    /// standardized space all the same.
    pub fn of_white_rows(self, log_diagonal: f64) -> Self {
        Self {
            log_diagonal,
            ..self
        }
    }

    /// The same, trained on some rows cast far out.
    pub fn with_outliers(self, outliers: Outliers) -> Self {
        Self { outliers, ..self }
    }

    fn net<A: Scalar, G: Rng>(&self, coupling: &Coupling, hidden: &[usize], rng: &mut G) -> Mlp<A> {
        let inputs = coupling.kept.len() + self.context_dim;
        let widths = [&[inputs], hidden, &[2 * coupling.moved.len()]].concat();
        let mut net = Mlp::random(&widths, Activation::Tanh, rng);
        if let [first, .., last] = net.layers.as_mut_slice() {
            first.scale(FIRST_GAIN);
            last.scale(LAST_GAIN);
        }
        net
    }

    /// x to z; the log-likelihood lost is added up over the rows.
    fn forward<A: Scalar>(
        &self,
        nets: &[Mlp<A>],
        shard: &RealNvpShard<A>,
        room: &mut RealNvpRoom<A>,
    ) -> f64 {
        room.state.clone_from(&shard.points);
        let mut loss = self.log_diagonal * shard.count as f64;
        for ((coupling, net), step) in self.couplings.iter().zip(nets).zip(&mut room.steps) {
            coupling.read(&room.state, &shard.context, step.pass.input_mut());
            step.pass.forward(net);
            loss -= coupling.forward(&mut room.state, step, shard.count);
        }
        let z = room.state.iter().flat_map(|row| &row[..shard.count]);
        let squares: f64 = z.map(|&z| z.to_f64() * z.to_f64()).sum();
        loss + 0.5 * squares + 0.5 * TAU.ln() * (self.dim * shard.count) as f64
    }
}

impl<A: Scalar> Objective<A> for RealNvp {
    type Shard = RealNvpShard<A>;
    type Room = RealNvpRoom<A>;

    /// Nothing is drawn.
    const VALIDATION_DRAWS: usize = 1;

    fn nets<G: Rng>(&self, hidden: &[usize], rng: &mut G) -> Vec<Mlp<A>> {
        let couplings = self.couplings.iter();
        couplings
            .map(|coupling| self.net(coupling, hidden, rng))
            .collect()
    }

    fn shard(&self) -> Self::Shard {
        let zeros = |width| vec![[A::zero(); ROWS]; width];
        RealNvpShard {
            count: 0,
            points: zeros(self.dim),
            context: zeros(self.context_dim),
        }
    }

    fn room(&self, nets: &[Mlp<A>]) -> Self::Room {
        let zeros = |width| vec![[A::zero(); ROWS]; width];
        let couplings = self.couplings.iter().zip(nets);
        let steps = couplings.map(|(coupling, net)| Step {
            pass: Pass::new(net),
            before: zeros(coupling.moved.len()),
            scale: zeros(coupling.moved.len()),
        });
        RealNvpRoom {
            state: zeros(self.dim),
            gradient: zeros(self.dim),
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
        shard.count = indices.len();
        objective::load(points, indices, &mut shard.points);
        objective::load(context, indices, &mut shard.context);
    }

    fn disturb<G: Rng>(&self, shard: &mut Self::Shard, rng: &mut G) {
        self.outliers.cast(&mut shard.points, shard.count, rng);
    }

    fn loss(&self, nets: &[Mlp<A>], shard: &Self::Shard, room: &mut Self::Room) -> f64 {
        self.forward(nets, shard, room)
    }

    fn loss_and_gradient(
        &self,
        nets: &[Mlp<A>],
        shard: &Self::Shard,
        room: &mut Self::Room,
        gradient: &mut [Mlp<A>],
    ) -> f64 {
        let loss = self.forward(nets, shard, room);
        objective::copy(&room.state, shard.count, &mut room.gradient);
        let steps = room.steps.iter_mut().zip(&self.couplings);
        for (((step, coupling), net), gradient) in steps.zip(nets).zip(gradient).rev() {
            coupling.backward(&mut room.gradient, step, shard.count);
            step.pass.backward_to_input(net, gradient);
            coupling.add_input_gradient(step.pass.input_gradient(), &mut room.gradient);
        }
        loss
    }
}

impl Coupling {
    /// What the net reads: the kept dimensions, then the context.
    fn read<A: Scalar>(&self, state: &[Row<A>], context: &[Row<A>], input: &mut [Row<A>]) {
        let kept = self.kept.iter().map(|&i| &state[i]);
        for (input, values) in input.iter_mut().zip(kept.chain(context)) {
            *input = *values;
        }
    }

    /// moved · eˢ + t; gives the sum of all `s` of `count` rows.
    fn forward<A: Scalar>(&self, state: &mut [Row<A>], step: &mut Step<A>, count: usize) -> f64 {
        let (s, t) = step.pass.output().split_at(self.moved.len());
        let mut log_det = 0.0;
        for (column, &i) in self.moved.iter().enumerate() {
            step.before[column] = state[i];
            kernel::dispatch(Affine {
                s: &s[column],
                t: &t[column],
                scale: &mut step.scale[column],
                moved: &mut state[i],
            });
            log_det += s[column][..count]
                .iter()
                .map(|&s| clip(s).to_f64())
                .sum::<f64>();
        }
        log_det
    }

    /// The gradient by moved′ to that by moved, and to that by the net's output.
    ///
    /// ∂/∂t = ∂/∂moved′ and ∂/∂s = ∂/∂moved′ · moved · eˢ − 1, but 0 where `s` is clipped.
    fn backward<A: Scalar>(&self, gradient: &mut [Row<A>], step: &mut Step<A>, count: usize) {
        let (output, output_gradient) = step.pass.output_and_gradient_mut();
        let (by_s, by_t) = output_gradient.split_at_mut(self.moved.len());
        for (column, &i) in self.moved.iter().enumerate() {
            by_t[column] = gradient[i];
            kernel::dispatch(AffineBackward {
                s: &output[column],
                before: &step.before[column],
                scale: &step.scale[column],
                gradient: &mut gradient[i],
                by_s: &mut by_s[column],
            });
            by_s[column][count..].fill(A::zero());
        }
    }

    /// The kept dimensions also count through the net.
    fn add_input_gradient<A: Scalar>(&self, input: &[Row<A>], gradient: &mut [Row<A>]) {
        for (input, &i) in input.iter().zip(&self.kept) {
            let pairs = gradient[i].iter_mut().zip(input);
            pairs.for_each(|(sum, &g)| *sum += g);
        }
    }
}

/// moved := moved · eˢ + t
struct Affine<'a, A> {
    s: &'a Row<A>,
    t: &'a Row<A>,
    scale: &'a mut Row<A>,
    moved: &'a mut Row<A>,
}

impl<A: Scalar> WithSimd for Affine<'_, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in 0..ROWS {
            self.scale[row] = clip(self.s[row]).quick_exp();
            self.moved[row] = self.moved[row] * self.scale[row] + self.t[row];
        }
    }
}

/// [`Affine`] on the way back.
struct AffineBackward<'a, A> {
    s: &'a Row<A>,
    before: &'a Row<A>,
    scale: &'a Row<A>,
    gradient: &'a mut Row<A>,
    by_s: &'a mut Row<A>,
}

impl<A: Scalar> WithSimd for AffineBackward<'_, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in 0..ROWS {
            let s = self.s[row];
            let by_moved = self.gradient[row] * self.scale[row];
            let slope = by_moved * self.before[row] - A::one();
            self.by_s[row] = if clip(s) == s { slope } else { A::zero() };
            self.gradient[row] = by_moved;
        }
    }
}

#[inline(always)]
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

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::nn::gradient_check::assert_gradient;

    const COUNT: usize = 6;

    /// Nets so large that `s` meets the clip on some rows, and those rows.
    fn loaded(flow: &RealNvp) -> (Vec<Mlp<f64>>, RealNvpShard<f64>) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut nets: Vec<Mlp<f64>> = flow.nets(&[5, 4], &mut rng);
        for layer in nets.iter_mut().flat_map(|net| net.layers.last_mut()) {
            layer.weight.mapv_inplace(|w| w * 8.0 / LAST_GAIN);
        }
        let mut shard = flow.shard();
        let mut rows = |columns| {
            Array2::from_shape_simple_fn((COUNT + 2, columns), || 3.0 * rng.random::<f32>() - 1.5)
        };
        let (points, context) = (rows(flow.dim), rows(flow.context_dim));
        let indices: Vec<usize> = (2..COUNT + 2).collect();
        flow.load(
            points.view(),
            context.view(),
            &indices,
            &mut rng,
            &mut shard,
        );
        (nets, shard)
    }

    #[test]
    fn gradient_of_the_loss_is_its_slope() {
        for (dim, context_dim) in [(1, 0), (1, 2), (2, 0), (3, 2), (4, 0)] {
            let flow = RealNvp::new(dim, context_dim, 3);
            let (nets, shard) = loaded(&flow);
            let mut gradient = nets.clone();
            let room = &mut flow.room(&nets);
            flow.loss_and_gradient(&nets, &shard, room, &mut gradient);
            assert_gradient(&nets, &gradient, |nets| flow.loss(nets, &shard, room));
        }
    }

    #[test]
    fn the_rows_of_these_tests_are_clipped_here_and_free_there() {
        let flow = RealNvp::new(3, 2, 3);
        let (nets, shard) = loaded(&flow);
        let mut room = flow.room(&nets);
        flow.loss(&nets, &shard, &mut room);
        let couplings = room.steps.iter().zip(&flow.couplings);
        let scales = couplings.flat_map(|(step, coupling)| {
            let s = &step.pass.output()[..coupling.moved.len()];
            s.iter().flat_map(|row| row[..COUNT].to_vec())
        });
        let scales: Vec<f64> = scales.collect();
        let clipped = scales.iter().filter(|&&s| clip(s) != s).count();
        assert!(
            clipped >= 5 && scales.len() - clipped >= 5,
            "{clipped} of {}",
            scales.len()
        );
    }

    #[test]
    fn log_det_is_that_of_the_numeric_jacobian() {
        const STEP: f64 = 1e-6;
        // The error of a central difference, 1e-12, rounding, 1e-10, and the flow's curvature.
        const TOLERANCE: f64 = 1e-7;
        let flow = RealNvp::new(2, 0, 3);
        let (nets, shard) = loaded(&flow);
        let after = |offset: [f64; 2]| {
            let mut moved = shard.clone();
            for (row, offset) in moved.points.iter_mut().zip(offset) {
                row.iter_mut().for_each(|x| *x += offset);
            }
            let mut room = flow.room(&nets);
            let loss = flow.forward(&nets, &moved, &mut room);
            let z = room.state.iter().flat_map(|row| row[..COUNT].to_vec());
            (
                Array2::from_shape_vec((2, COUNT), z.collect()).unwrap(),
                loss,
            )
        };
        let slope = |axis: usize| {
            let mut offset = [0.0; 2];
            offset[axis] = STEP;
            (after(offset).0 - after(offset.map(|o| -o)).0) / (2.0 * STEP)
        };
        let (by_first, by_second) = (slope(0), slope(1));
        let (z, loss) = after([0.0; 2]);
        let rows = by_first.columns().into_iter().zip(by_second.columns());
        let log_det: f64 = rows.map(|(a, b)| (a[0] * b[1] - a[1] * b[0]).ln()).sum();
        let normal = 0.5 * (&z * &z).sum() + 0.5 * TAU.ln() * z.len() as f64;
        let error = (loss - (normal - log_det)).abs();
        assert!(error < TOLERANCE, "{error:e}");
    }

    #[test]
    fn starts_close_to_the_identity() {
        let flow = RealNvp::new(2, 0, 8);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let nets: Vec<Mlp<f64>> = flow.nets(&[64, 64], &mut rng);
        let (mut shard, mut room) = (flow.shard(), flow.room(&nets));
        shard.points.as_flattened_mut().fill(1.0);
        flow.forward(&nets, &shard, &mut room);
        let z = room.state.as_flattened();
        assert!(z.iter().all(|z| (z - 1.0).abs() < 0.1), "{z:?}");
    }

    #[test]
    fn nan_reaches_the_loss() {
        let flow = RealNvp::new(2, 0, 2);
        let (nets, mut shard) = loaded(&flow);
        shard.points[0][3] = f64::NAN;
        let loss = flow.loss(&nets, &shard, &mut flow.room(&nets));
        assert!(loss.is_nan());
        assert!(clip(f64::NAN).is_nan());
    }
}
