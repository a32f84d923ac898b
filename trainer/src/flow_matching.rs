//! Flow matching by regression on straight paths.

use flowlet::StandardNormal;
use flowlet::format::Activation;
use ndarray::ArrayView2;
use rand::{Rng, RngExt};

use crate::fit::objective::{self, Objective};
use crate::nn::{Mlp, Pass, ROWS, Row, Scalar};
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

/// Which noise goes to which of the rows drawn together.
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
    /// Rows there are; the others count for nothing.
    count: usize,
    /// x₁
    data: Vec<Row<f32>>,
    /// x₀, not yet coupled.
    noise: Vec<Row<f32>>,
    /// What the net reads: x_t, t and the context.
    input: Vec<Row<A>>,
    /// x₁ − x₀
    target: Vec<Row<A>>,
}

impl<A: Scalar> Objective<A> for FlowMatching {
    type Shard = FlowMatchingShard<A>;
    type Room = Pass<A>;

    const VALIDATION_DRAWS: usize = 8;

    /// 128 rows: transport among 64 bends the paths so much that four steps are half again as far from the
    /// data, and among 256 it takes longer than the net.
    const TOGETHER: usize = 2;

    fn nets<G: Rng>(&self, hidden: &[usize], rng: &mut G) -> Vec<Mlp<A>> {
        let inputs = self.dim + 1 + self.context_dim;
        let widths = [&[inputs], hidden, &[self.dim]].concat();
        vec![Mlp::random(&widths, Activation::Elu, rng)]
    }

    fn shard(&self) -> Self::Shard {
        FlowMatchingShard {
            count: 0,
            data: vec![[0.0; ROWS]; self.dim],
            noise: vec![[0.0; ROWS]; self.dim],
            input: vec![[A::zero(); ROWS]; self.dim + 1 + self.context_dim],
            target: vec![[A::zero(); ROWS]; self.dim],
        }
    }

    fn room(&self, nets: &[Mlp<A>]) -> Self::Room {
        Pass::new(&nets[0])
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
        shard.count = indices.len();
        let (time, given) = shard.input[self.dim..].split_at_mut(1);
        for (row, &index) in indices.iter().enumerate() {
            let t: f32 = rng.random();
            for (i, &data) in points.row(index).iter().enumerate() {
                shard.data[i][row] = data;
                shard.noise[i][row] = StandardNormal.sample(rng);
            }
            time[0][row] = convert(t);
        }
        objective::load(context, indices, given);
    }

    /// Couples noise and rows, and goes to their x_t.
    fn prepare(&self, shards: &mut [Self::Shard]) {
        if self.coupling == Coupling::OptimalTransport {
            self.couple(shards);
        }
        let convert = |value: f32| A::from_f64(f64::from(value));
        for shard in shards {
            let (at, rest) = shard.input.split_at_mut(self.dim);
            for (i, (at, target)) in at.iter_mut().zip(&mut shard.target).enumerate() {
                for row in 0..shard.count {
                    let (data, noise) = (convert(shard.data[i][row]), convert(shard.noise[i][row]));
                    at[row] = (A::one() - rest[0][row]) * noise + rest[0][row] * data;
                    target[row] = data - noise;
                }
            }
        }
    }

    fn loss(&self, nets: &[Mlp<A>], shard: &Self::Shard, pass: &mut Self::Room) -> f64 {
        pass.input_mut().copy_from_slice(&shard.input);
        pass.forward(&nets[0]);
        let pairs = pass.output().iter().zip(&shard.target);
        let rows = pairs.flat_map(|(v, u)| v.iter().zip(u).take(shard.count));
        let squares: f64 = rows.map(|(&v, &u)| (v - u).to_f64().powi(2)).sum();
        squares / self.dim as f64
    }

    fn loss_and_gradient(
        &self,
        nets: &[Mlp<A>],
        shard: &Self::Shard,
        pass: &mut Self::Room,
        gradient: &mut [Mlp<A>],
    ) -> f64 {
        let loss = self.loss(nets, shard, pass);
        let factor = A::from_f64(2.0 / self.dim as f64);
        let (output, output_gradient) = pass.output_and_gradient_mut();
        let pairs = output.iter().zip(&shard.target);
        for (gradient, (v, u)) in output_gradient.iter_mut().zip(pairs) {
            gradient[shard.count..].fill(A::zero());
            let rows = gradient.iter_mut().zip(v.iter().zip(u)).take(shard.count);
            rows.for_each(|(gradient, (&v, &u))| *gradient = factor * (v - u));
        }
        pass.backward(&nets[0], &mut gradient[0]);
        loss
    }
}

impl FlowMatching {
    /// Moves the noise to the rows that it goes to.
    fn couple<A>(&self, shards: &mut [FlowMatchingShard<A>]) {
        let counts = shards.iter().map(|shard| shard.count).enumerate();
        let rows: Vec<_> = counts
            .flat_map(|(shard, count)| (0..count).map(move |row| (shard, row)))
            .collect();
        let count = rows.len();
        let mut costs = vec![0.0; count * count];
        for i in 0..self.dim {
            let noise: Vec<f32> = rows
                .iter()
                .map(|&(k, row)| shards[k].noise[i][row])
                .collect();
            for (costs, &(k, row)) in costs.chunks_exact_mut(count).zip(&rows) {
                let x = shards[k].data[i][row];
                let pairs = costs.iter_mut().zip(&noise);
                pairs.for_each(|(cost, x_0)| *cost += (x - x_0) * (x - x_0));
            }
        }
        costs.iter_mut().for_each(|cost| *cost = cost.min(FARTHEST));
        let partners = assignment(&costs, count);
        for i in 0..self.dim {
            let noise: Vec<f32> = rows
                .iter()
                .map(|&(k, row)| shards[k].noise[i][row])
                .collect();
            for (&(k, row), &partner) in rows.iter().zip(&partners) {
                shards[k].noise[i][row] = noise[partner];
            }
        }
    }
}

/// Costs must be finite; of distances beyond this one, none is better than another.
const FARTHEST: f32 = 1e30;

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::nn::gradient_check::assert_gradient;

    const COUNT: usize = 6;

    fn loaded(flow: FlowMatching) -> (Vec<Mlp<f64>>, FlowMatchingShard<f64>) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let nets: Vec<Mlp<f64>> = flow.nets(&[5, 4], &mut rng);
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
        Objective::<f64>::prepare(&flow, std::slice::from_mut(&mut shard));
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
            let room = &mut flow.room(&nets);
            flow.loss_and_gradient(&nets, &shard, room, &mut gradient);
            assert_gradient(&nets, &gradient, |nets| flow.loss(nets, &shard, room));
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
        let mut shard: FlowMatchingShard<f64> = flow.shard();
        let points = ndarray::array![[0.0, 0.0], [0.5, -0.25]];
        let context = ndarray::array![[0.0], [7.0]];
        flow.load(points.view(), context.view(), &[1], &mut rng, &mut shard);
        Objective::<f64>::prepare(&flow, std::slice::from_mut(&mut shard));
        let input: Vec<f64> = shard.input.iter().map(|row| row[0]).collect();
        let [at @ .., t, context] = input.as_slice() else {
            panic!("{input:?}")
        };
        for ((at, target), expected) in at.iter().zip(&shard.target).zip(points.row(1)) {
            // x_t + (1 − t) (x₁ − x₀) = x₁, computed in f32.
            let data = at + (1.0 - t) * target[0];
            assert!((data - f64::from(*expected)).abs() < 1e-6, "{data}");
        }
        assert_eq!(*context, 7.0);
    }

    #[test]
    fn noise_and_time_are_fresh_for_each_row() {
        let flow = FlowMatching {
            dim: 2,
            context_dim: 0,
            coupling: Coupling::Independent,
        };
        let input = loaded(flow).1.input;
        assert_ne!(input[2][0], input[2][1]);
        assert_ne!(input[0][0], input[0][1]);
    }

    #[test]
    fn transport_makes_the_paths_as_short_as_can_be() {
        let ordered_and_times = |coupling| {
            let flow = FlowMatching {
                dim: 1,
                context_dim: 0,
                coupling,
            };
            let (_, shard) = loaded(flow);
            // In one dimension, the order of the noise is that of the data.
            let data = shard.data[0].iter().map(|&data| f64::from(data));
            let pairs = data
                .zip(shard.target[0])
                .map(|(data, target)| (data, data - target));
            let mut pairs: Vec<_> = pairs.take(COUNT).collect();
            pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
            let ordered = pairs.is_sorted_by(|a, b| a.1 <= b.1);
            // The same rows at the same times.
            let times = shard.input[1];
            (ordered, times)
        };
        let (independent, times) = ordered_and_times(Coupling::Independent);
        let (transported, same_times) = ordered_and_times(Coupling::OptimalTransport);
        assert!(transported && !independent);
        assert_eq!(times, same_times);
    }
}
