//! Flow matching by regression on straight paths.

use flowlet::StandardNormal;
use flowlet::format::Activation;
use ndarray::{Array2, ArrayView2};
use rand::{Rng, RngExt};

use crate::fit::objective::Objective;
use crate::nn::{Mlp, Pass, Scalar};
use crate::transport::assignment;

/// The mean square error of a velocity field, in standardized space.
///
/// With noise x₀ and a time t drawn anew for each row, x_t = (1 − t) x₀ + t x₁; the net reads
/// [x_t, t, context] and its loss is ‖v − (x₁ − x₀)‖² / D.
///
/// # Source
///
/// Lipman et al., *Flow Matching for Generative Modeling*, 2023; Liu, Gong and Liu, *Flow Straight
/// and Fast*, 2023.
#[derive(Clone, Copy, Debug)]
pub struct FlowMatching {
    /// Number of dimensions of a point.
    pub dim: usize,
    /// Number of context numbers.
    pub context_dim: usize,
    /// Which noise goes to which row.
    pub coupling: Coupling,
}

/// Which noise of a shard goes to which row of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coupling {
    /// Any: the paths cross each other, and what is learnt is the bend in their mean.
    Independent,
    /// That which makes Σ ‖x₁ − x₀‖² least: paths hardly cross and so are almost straight, and few Euler
    /// steps are enough. Not where there is a context: rows of different contexts would share out the
    /// noise among them, but a sample of any context begins at all of it.
    ///
    /// # Source
    ///
    /// Tong et al., *Improving and Generalizing Flow-Based Generative Models with Minibatch Optimal
    /// Transport*, 2024.
    OptimalTransport,
}

/// Points on their paths, and the velocities there.
#[derive(Clone, Debug)]
pub struct FlowMatchingShard<A> {
    /// x₁ and x₀, row by row.
    data: Vec<f32>,
    noise: Vec<f32>,
    pass: Pass<A>,
    /// x₁ − x₀
    target: Array2<A>,
}

impl<A: Scalar> Objective<A> for FlowMatching {
    type Shard = FlowMatchingShard<A>;

    const VALIDATION_DRAWS: usize = 8;

    fn nets<G: Rng>(&self, hidden: &[usize], rng: &mut G) -> Vec<Mlp<A>> {
        let inputs = self.dim + 1 + self.context_dim;
        let widths = [&[inputs], hidden, &[self.dim]].concat();
        vec![Mlp::random(&widths, Activation::Elu, rng)]
    }

    fn shard(&self, nets: &[Mlp<A>], rows: usize) -> Self::Shard {
        FlowMatchingShard {
            data: vec![0.0; rows * self.dim],
            noise: vec![0.0; rows * self.dim],
            pass: Pass::new(&nets[0], rows),
            target: Array2::zeros((rows, self.dim)),
        }
    }

    fn load<G: Rng>(
        &self,
        points: ArrayView2<f32>,
        context: ArrayView2<f32>,
        indices: &[usize],
        rng: &mut G,
        shard: &mut Self::Shard,
    ) {
        let convert = |value: f32| A::from_f64(f64::from(value));
        let input = shard.pass.input_mut();
        let rows = shard
            .data
            .chunks_exact_mut(self.dim)
            .zip(shard.noise.chunks_exact_mut(self.dim));
        for (row, (&index, (data, noise))) in indices.iter().zip(rows).enumerate() {
            input[[row, self.dim]] = convert(rng.random());
            for (i, &value) in points.row(index).iter().enumerate() {
                data[i] = value;
                noise[i] = StandardNormal.sample(rng);
            }
            for (i, &value) in context.row(index).iter().enumerate() {
                input[[row, self.dim + 1 + i]] = convert(value);
            }
        }
    }

    /// Couples noise and rows, and goes to their x_t.
    fn prepare(&self, shard: &mut Self::Shard) {
        let count = shard.target.nrows();
        let order = self.couple(&shard.data, &shard.noise, count);
        let input = shard.pass.input_mut();
        let convert = |value: f32| A::from_f64(f64::from(value));
        for (row, other) in order.into_iter().enumerate() {
            let t = input[[row, self.dim]];
            for i in 0..self.dim {
                let data = convert(shard.data[row * self.dim + i]);
                let noise = convert(shard.noise[other * self.dim + i]);
                input[[row, i]] = (A::one() - t) * noise + t * data;
                shard.target[[row, i]] = data - noise;
            }
        }
    }

    fn loss(&self, nets: &[Mlp<A>], shard: &mut Self::Shard) -> f64 {
        shard.pass.forward(&nets[0]);
        let pairs = shard.pass.output().iter().zip(&shard.target);
        let squares: f64 = pairs.map(|(&v, &u)| (v - u).to_f64().powi(2)).sum();
        squares / self.dim as f64
    }

    fn loss_and_gradient(
        &self,
        nets: &[Mlp<A>],
        shard: &mut Self::Shard,
        gradient: &mut [Mlp<A>],
    ) -> f64 {
        let loss = self.loss(nets, shard);
        let factor = A::from_f64(2.0 / self.dim as f64);
        let (output, output_gradient) = shard.pass.output_and_gradient_mut();
        let pairs = output.iter().zip(&shard.target);
        for (gradient, (&v, &u)) in output_gradient.iter_mut().zip(pairs) {
            *gradient = factor * (v - u);
        }
        shard.pass.backward(&nets[0], &mut gradient[0]);
        loss
    }
}

impl FlowMatching {
    /// The row of the noise for each row of the data.
    fn couple(&self, data: &[f32], noise: &[f32], count: usize) -> Vec<usize> {
        if self.coupling == Coupling::Independent {
            return (0..count).collect();
        }
        let noise = || noise.chunks_exact(self.dim);
        let costs = data.chunks_exact(self.dim).flat_map(|data| {
            noise().map(move |noise| {
                let pairs = data.iter().zip(noise);
                // Beyond any other, but finite.
                pairs
                    .map(|(a, b)| (a - b) * (a - b))
                    .sum::<f32>()
                    .min(FARTHEST)
            })
        });
        assignment(&costs.collect::<Vec<_>>(), count)
    }
}

/// Squared distances that lose to all others are as good as this one.
const FARTHEST: f32 = 1e30;

#[cfg(test)]
mod tests {
    use ndarray::s;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::nn::gradient_check::assert_gradient;

    const ROWS: usize = 6;

    fn loaded(flow: FlowMatching) -> (Vec<Mlp<f64>>, FlowMatchingShard<f64>) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let nets: Vec<Mlp<f64>> = flow.nets(&[5, 4], &mut rng);
        let mut shard = flow.shard(&nets, ROWS);
        let mut rows = |columns| {
            Array2::from_shape_simple_fn((ROWS + 2, columns), || 3.0 * rng.random::<f32>() - 1.5)
        };
        let (points, context) = (rows(flow.dim), rows(flow.context_dim));
        let indices: Vec<usize> = (2..ROWS + 2).collect();
        flow.load(
            points.view(),
            context.view(),
            &indices,
            &mut rng,
            &mut shard,
        );
        flow.prepare(&mut shard);
        (nets, shard)
    }

    #[test]
    fn gradient_of_the_loss_is_its_slope() {
        let couplings = [Coupling::Independent, Coupling::OptimalTransport];
        for ((dim, context_dim), coupling) in [(1, 0), (2, 0), (3, 2)]
            .into_iter()
            .zip(couplings.repeat(2))
        {
            let flow = FlowMatching {
                dim,
                context_dim,
                coupling,
            };
            let (nets, shard) = loaded(flow);
            let mut gradient = nets.clone();
            flow.loss_and_gradient(&nets, &mut shard.clone(), &mut gradient);
            assert_gradient(&nets, &gradient, |nets| flow.loss(nets, &mut shard.clone()));
        }
    }

    #[test]
    fn rows_lie_on_the_line_from_noise_to_data() {
        let flow = FlowMatching {
            dim: 2,
            context_dim: 1,
            coupling: Coupling::Independent,
        };
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
        let nets: Vec<Mlp<f64>> = flow.nets(&[3], &mut rng);
        let mut shard = flow.shard(&nets, 1);
        let points = ndarray::array![[0.0, 0.0], [0.5, -0.25]];
        let context = ndarray::array![[0.0], [7.0]];
        flow.load(points.view(), context.view(), &[1], &mut rng, &mut shard);
        flow.prepare(&mut shard);
        let input = shard.pass.input_mut().row(0).to_owned();
        let (at, t) = (input.slice(s![..2]).to_owned(), input[2]);
        // x_t + (1 − t) (x₁ − x₀) = x₁, computed in f32.
        let data = at + (1.0 - t) * &shard.target.row(0);
        let expected = points.row(1).mapv(f64::from);
        assert!((&data - &expected).iter().all(|e| e.abs() < 1e-6), "{data}");
        assert_eq!(input[3], 7.0);
    }

    #[test]
    fn noise_and_time_are_fresh_for_each_row() {
        let flow = FlowMatching {
            dim: 2,
            context_dim: 0,
            coupling: Coupling::Independent,
        };
        let (_, mut shard) = loaded(flow);
        let input = shard.pass.input_mut();
        assert_ne!(input[[0, 2]], input[[1, 2]]);
        assert_ne!(input[[0, 0]], input[[1, 0]]);
    }

    #[test]
    fn transport_makes_the_paths_as_short_as_can_be() {
        let squares = |coupling| {
            let flow = FlowMatching {
                dim: 1,
                context_dim: 0,
                coupling,
            };
            let (_, mut shard) = loaded(flow);
            // In one dimension, the order of the noise is that of the data.
            let mut pairs: Vec<(f64, f64)> = Vec::new();
            for (row, target) in shard.target.iter().enumerate() {
                pairs.push((shard.data[row].into(), f64::from(shard.data[row]) - target));
            }
            pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
            let ordered = pairs.is_sorted_by(|a, b| a.1 <= b.1);
            // The same rows at the same times.
            let times = shard.pass.input_mut().column(1).to_vec();
            (ordered, times)
        };
        let (independent, times) = squares(Coupling::Independent);
        let (transported, same_times) = squares(Coupling::OptimalTransport);
        assert!(transported && !independent);
        assert_eq!(times, same_times);
    }
}
