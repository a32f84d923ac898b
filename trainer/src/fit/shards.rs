//! Losses and gradients over many rows, on all threads.

use ndarray::ArrayView2;
use pulp::{Simd, WithSimd};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use super::objective::Objective;
use crate::nn::kernel::dispatch;
use crate::nn::{Mlp, ROWS, parameters, parameters_mut};
use crate::optimizer::{TENSORS_A_TASK, norm, squares};

/// Shards whose losses one thread takes in a row: enough that the room for them is a small part of the work.
const SHARDS_A_TASK: usize = 8;

/// A table's rows, and the room for a batch of them, in shards of 64.
///
/// A batch is cut the same way, each shard draws from a generator of its own, and sums are taken in
/// the same order whatever the number of threads, so that it does not show in the weights.
pub(super) struct Shards<'a, O: Objective<f32>> {
    rows: Rows<'a, O>,
    shards: Vec<O::Shard>,
    rooms: Vec<Room<O::Room>>,
}

/// Where shards are loaded from.
struct Rows<'a, O> {
    objective: O,
    points: ArrayView2<'a, f32>,
    context: ArrayView2<'a, f32>,
}

/// What one thread works in.
struct Room<R> {
    work: R,
    loss: f64,
    gradient: Vec<Mlp<f32>>,
}

/// The loss of a batch.
pub(super) struct BatchLoss<'a> {
    /// Of all rows.
    pub(super) mean: f64,
    /// The gradient of the sum of all rows' losses, and its length.
    pub(super) gradient: &'a [Mlp<f32>],
    pub(super) length: f64,
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
        let room = || Room {
            work: objective.room(nets),
            loss: 0.0,
            gradient: nets.to_vec(),
        };
        let count = batch.div_ceil(ROWS);
        Self {
            shards: shards(&objective, count),
            rooms: std::iter::repeat_with(room).take(count).collect(),
            rows: Rows {
                objective,
                points,
                context,
            },
        }
    }

    /// Any number of rows, to take the loss of as often as needed.
    pub(super) fn loaded<G: Rng>(&self, rows: &[usize], rng: &mut G) -> Vec<O::Shard> {
        let source = &self.rows;
        let mut shards = shards(&source.objective, rows.len().div_ceil(ROWS));
        let mut generators = generators(shards.len(), rng);
        let groups = shards.par_chunks_mut(O::TOGETHER);
        let groups = groups.zip(rows.par_chunks(O::TOGETHER * ROWS));
        let groups = groups.zip(generators.par_chunks_mut(O::TOGETHER));
        groups.for_each(|((shards, rows), generators)| {
            source.load(shards, rows, generators, false);
        });
        shards
    }

    /// The loss of all rows together.
    pub(super) fn loss(&self, nets: &[Mlp<f32>], shards: &[O::Shard]) -> f64 {
        let objective = &self.rows.objective;
        let losses = shards.par_iter().with_min_len(SHARDS_A_TASK).map_init(
            || objective.room(nets),
            |room, shard| objective.loss(nets, shard, room),
        );
        // Not summed on the threads: in the shards' order on any number of them.
        losses.collect::<Vec<f64>>().into_iter().sum()
    }

    /// The first of the nets by which the loss of these rows is lost, if it is.
    pub(super) fn lost<G: Rng + Clone>(
        &self,
        nets: &[Mlp<f32>],
        rows: &[usize],
        rng: &G,
    ) -> Option<usize> {
        let shards = self.loaded(rows, &mut rng.clone());
        // The first couplings of a flow are a flow.
        (0..nets.len()).find(|&k| !self.loss(&nets[..=k], &shards).is_finite())
    }

    /// The first of the nets on the way back by which the gradient of a batch is lost, if it is.
    pub(super) fn lost_gradient<G: Rng + Clone>(
        &mut self,
        nets: &[Mlp<f32>],
        batch: &[usize],
        rng: &G,
    ) -> Option<usize> {
        let loss = self.loss_and_gradient(nets, batch, &mut rng.clone());
        loss.gradient
            .iter()
            .rposition(|net| !norm(std::slice::from_ref(net)).is_finite())
    }

    /// The loss of a batch, and its gradient.
    pub(super) fn loss_and_gradient<G: Rng>(
        &mut self,
        nets: &[Mlp<f32>],
        batch: &[usize],
        rng: &mut G,
    ) -> BatchLoss<'_> {
        let used = batch.len().div_ceil(ROWS);
        let (source, rooms) = (&self.rows, &mut self.rooms[..used]);
        let mut generators = generators(used, rng);
        let groups = self.shards[..used].par_chunks_mut(O::TOGETHER);
        let groups = groups.zip(rooms.par_chunks_mut(O::TOGETHER));
        let groups = groups.zip(batch.par_chunks(O::TOGETHER * ROWS));
        let groups = groups.zip(generators.par_chunks_mut(O::TOGETHER));
        groups.for_each(|(((shards, rooms), rows), generators)| {
            source.load(shards, rows, generators, true);
            let pairs = rooms.par_iter_mut().zip(&*shards);
            pairs.for_each(|(room, shard)| {
                let (work, gradient) = (&mut room.work, &mut room.gradient);
                room.loss = source
                    .objective
                    .loss_and_gradient(nets, shard, work, gradient);
            });
        });
        let loss = rooms.iter().map(|room| room.loss).sum::<f64>();
        BatchLoss {
            mean: loss / batch.len() as f64,
            length: sum_gradients(rooms).sqrt(),
            gradient: &rooms[0].gradient,
        }
    }
}

impl<O: Objective<f32>> Rows<'_, O> {
    /// Loads rows into as many shards as they fill, to train on or to validate on.
    fn load(
        &self,
        shards: &mut [O::Shard],
        rows: &[usize],
        generators: &mut [Xoshiro256PlusPlus],
        training: bool,
    ) {
        let pairs = shards.iter_mut().zip(rows.chunks(ROWS));
        for ((shard, rows), rng) in pairs.zip(generators) {
            self.objective
                .load(self.points, self.context, rows, rng, shard);
            if training {
                self.objective.disturb(shard, rng);
            }
        }
        self.objective.prepare(shards);
    }
}

fn shards<O: Objective<f32>>(objective: &O, count: usize) -> Vec<O::Shard> {
    (0..count).map(|_| objective.shard()).collect()
}

/// One for each shard, so that shards can be loaded on any thread.
fn generators<G: Rng>(count: usize, rng: &mut G) -> Vec<Xoshiro256PlusPlus> {
    (0..count)
        .map(|_| Xoshiro256PlusPlus::from_rng(rng))
        .collect()
}

/// Adds all rooms' gradients to the first's, and gives the sum of its squares.
fn sum_gradients<R>(rooms: &mut [Room<R>]) -> f64 {
    let (first, others) = rooms.split_first_mut().expect("a batch has rows");
    let others = others.iter().map(|room| parameters(&room.gradient));
    let mut others: Vec<_> = others.collect();
    let tensors = parameters_mut(&mut first.gradient).map(|sum| {
        let others = others.iter_mut().flat_map(Iterator::next).collect();
        (sum, others)
    });
    let tensors: Vec<(_, Vec<_>)> = tensors.collect();
    let sums = tensors.into_par_iter().with_min_len(TENSORS_A_TASK);
    let squares = sums.map(|(sum, others)| {
        others
            .into_iter()
            .for_each(|other| dispatch(Add(sum, other)));
        squares(sum)
    });
    squares.collect::<Vec<f64>>().into_iter().sum()
}

/// The first numbers := themselves and the second.
struct Add<'a>(&'a mut [f32], &'a [f32]);

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.0
            .iter_mut()
            .zip(self.1)
            .for_each(|(sum, &g)| *sum += g);
    }
}
