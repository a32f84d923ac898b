//! Losses and gradients over many rows, on all threads.

use ndarray::ArrayView2;
use rand::Rng;
use rayon::prelude::*;

use super::objective::Objective;
use crate::nn::{Mlp, ROWS, parameters, parameters_mut};
use crate::optimizer::norm;

/// The room for a batch, in shards of 64 rows.
///
/// A batch is cut the same way and sums are taken in the same order whatever the number of
/// threads, so that it does not show in the weights.
pub(super) struct Shards<'a, O: Objective<f32>> {
    objective: O,
    points: ArrayView2<'a, f32>,
    context: ArrayView2<'a, f32>,
    shards: Vec<Shard<O::Shard>>,
}

/// What one thread works on.
struct Shard<S> {
    rows: S,
    loss: f64,
    gradient: Vec<Mlp<f32>>,
}

impl<'a, O: Objective<f32>> Shards<'a, O> {
    /// Room for batches of `batch` of the `points`, through `nets`.
    pub(super) fn new(
        objective: O,
        points: ArrayView2<'a, f32>,
        context: ArrayView2<'a, f32>,
        nets: &[Mlp<f32>],
        batch: usize,
    ) -> Self {
        let shard = || Shard {
            rows: objective.shard(nets),
            loss: 0.0,
            gradient: nets.to_vec(),
        };
        let shards = std::iter::repeat_with(shard).take(batch.div_ceil(ROWS));
        Self {
            shards: shards.collect(),
            objective,
            points,
            context,
        }
    }

    /// The mean loss of any number of rows.
    pub(super) fn loss<G: Rng>(&mut self, nets: &[Mlp<f32>], rows: &[usize], rng: &mut G) -> f64 {
        let mut loss = 0.0;
        for batch in rows.chunks(ROWS * self.shards.len()) {
            let used = self.load(batch, rng);
            let (objective, shards) = (&self.objective, &mut self.shards[..used]);
            shards
                .par_iter_mut()
                .for_each(|shard| shard.loss = objective.loss(nets, &mut shard.rows));
            loss += shards.iter().map(|shard| shard.loss).sum::<f64>();
        }
        loss / rows.len() as f64
    }

    /// The first of the nets by which the loss of these rows is lost, if it is.
    pub(super) fn lost<G: Rng + Clone>(
        &mut self,
        nets: &[Mlp<f32>],
        rows: &[usize],
        rng: &G,
    ) -> Option<usize> {
        // The first couplings of a flow are a flow.
        (0..nets.len()).find(|&k| {
            let loss = self.loss(&nets[..=k], rows, &mut rng.clone());
            !loss.is_finite()
        })
    }

    /// The first of the nets on the way back by which the gradient of a batch is lost, if it is.
    pub(super) fn lost_gradient<G: Rng + Clone>(
        &mut self,
        nets: &[Mlp<f32>],
        batch: &[usize],
        rng: &G,
    ) -> Option<usize> {
        let (_, gradient) = self.loss_and_gradient(nets, batch, &mut rng.clone());
        gradient
            .iter()
            .rposition(|net| !norm(std::slice::from_ref(net)).is_finite())
    }

    /// The mean loss of a batch, and its gradient times the number of rows.
    pub(super) fn loss_and_gradient<G: Rng>(
        &mut self,
        nets: &[Mlp<f32>],
        batch: &[usize],
        rng: &mut G,
    ) -> (f64, &[Mlp<f32>]) {
        let used = self.load(batch, rng);
        let (objective, shards) = (&self.objective, &mut self.shards[..used]);
        for shard in &mut *shards {
            objective.disturb(&mut shard.rows, rng);
        }
        shards.par_iter_mut().for_each(|shard| {
            let Shard { rows, gradient, .. } = shard;
            shard.loss = objective.loss_and_gradient(nets, rows, gradient);
        });
        let loss = shards.iter().map(|shard| shard.loss).sum::<f64>();
        (loss / batch.len() as f64, sum_gradients(shards))
    }

    /// Loads a batch into as many shards as it fills, and gives their number.
    fn load<G: Rng>(&mut self, batch: &[usize], rng: &mut G) -> usize {
        let chunks = batch.chunks(ROWS);
        let used = chunks.len();
        let (points, context) = (self.points, self.context);
        for (shard, rows) in self.shards.iter_mut().zip(chunks) {
            self.objective
                .load(points, context, rows, rng, &mut shard.rows);
        }
        if O::TOGETHER > 0 {
            let groups = self.shards[..used].par_chunks_mut(O::TOGETHER);
            groups.for_each(|shards| {
                let mut rows: Vec<_> = shards.iter_mut().map(|shard| &mut shard.rows).collect();
                self.objective.prepare(&mut rows);
            });
        }
        used
    }
}

/// Adds all shards' gradients to the first's.
fn sum_gradients<S>(shards: &mut [Shard<S>]) -> &[Mlp<f32>] {
    let (first, others) = shards.split_first_mut().expect("a batch has rows");
    for other in others {
        let tensors = parameters_mut(&mut first.gradient).zip(parameters(&other.gradient));
        for (sum, gradient) in tensors {
            sum.iter_mut().zip(gradient).for_each(|(s, &g)| *s += g);
        }
    }
    &first.gradient
}
