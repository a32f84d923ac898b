//! Flow matching by regression on straight paths.

use flowlet::StandardNormal;
use flowlet::format::Activation;
use ndarray::{Array2, ArrayView2};
use rand::{Rng, RngExt};

use crate::fit::objective::Objective;
use crate::nn::{Mlp, Pass, Scalar};

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
}

/// Points on their paths, and the velocities there.
#[derive(Clone, Debug)]
pub struct FlowMatchingShard<A> {
    pass: Pass<A>,
    /// x₁ − x₀
    target: Array2<A>,
}

impl<A: Scalar> Objective<A> for FlowMatching {
    type Shard = FlowMatchingShard<A>;

    fn nets<G: Rng>(&self, hidden: &[usize], rng: &mut G) -> Vec<Mlp<A>> {
        let inputs = self.dim + 1 + self.context_dim;
        let widths = [&[inputs], hidden, &[self.dim]].concat();
        vec![Mlp::random(&widths, Activation::Elu, 1.0, rng)]
    }

    fn shard(&self, nets: &[Mlp<A>], rows: usize) -> Self::Shard {
        FlowMatchingShard {
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
        for (row, &index) in indices.iter().enumerate() {
            let t: f32 = rng.random();
            for (i, &data) in points.row(index).iter().enumerate() {
                let noise = StandardNormal.sample(rng);
                input[[row, i]] = convert((1.0 - t) * noise + t * data);
                shard.target[[row, i]] = convert(data - noise);
            }
            input[[row, self.dim]] = convert(t);
            for (i, &value) in context.row(index).iter().enumerate() {
                input[[row, self.dim + 1 + i]] = convert(value);
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
