//! The loop.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use super::checks::Split;
use super::objective::Objective;
use super::{FitOptions, Progress};
use crate::Error;
use crate::nn::{Mlp, parameters, parameters_mut};
use crate::optimizer::{Adam, cosine_decay, norm};

/// Rows a shard: enough to keep a core busy, few enough to leave work for others.
const SHARD_ROWS: usize = 64;

/// Looks at the validation rows in a whole run.
const LOOKS: usize = 200;

/// Gradients longer than this are cut to it.
const LONGEST_GRADIENT: f64 = 1.0;

/// Ways back to the best weights before training gives up.
const MOST_RETREATS: i32 = 5;

/// Training under way.
pub(super) struct Training<'a, O: Objective<f32>> {
    objective: O,
    split: &'a Split<'a>,
    options: &'a FitOptions,
    rng: Xoshiro256PlusPlus,
    /// For the noise of the validation rows, the same at each look.
    validation_rng: Xoshiro256PlusPlus,
    nets: Vec<Mlp<f32>>,
    adam: Adam,
    shards: Vec<Shard<O::Shard>>,
    order: Order,
    best: Best,
    retreats: i32,
}

/// Rows that one thread works on, in the order of which all sums are taken.
struct Shard<S> {
    rows: S,
    count: usize,
    loss: f64,
    gradient: Vec<Mlp<f32>>,
}

/// The weights that did best on the validation rows.
pub(super) struct Best {
    pub(super) nets: Vec<Mlp<f32>>,
    pub(super) step: usize,
    pub(super) training_loss: f64,
    pub(super) validation_loss: f64,
}

impl<'a, O: Objective<f32>> Training<'a, O> {
    pub(super) fn new(
        objective: O,
        split: &'a Split<'a>,
        options: &'a FitOptions,
        mut rng: Xoshiro256PlusPlus,
    ) -> Self {
        let nets = objective.nets(&options.hidden, &mut rng);
        let batch = options.batch.min(split.training.len());
        let shards = (0..batch.div_ceil(SHARD_ROWS)).map(|_| Shard {
            rows: objective.shard(&nets, SHARD_ROWS),
            count: SHARD_ROWS,
            loss: 0.0,
            gradient: nets.clone(),
        });
        Self {
            split,
            options,
            validation_rng: Xoshiro256PlusPlus::from_rng(&mut rng),
            rng,
            adam: Adam::new(&nets),
            shards: shards.collect(),
            order: Order::new(&split.training, batch),
            best: Best {
                nets: nets.clone(),
                step: 0,
                training_loss: f64::INFINITY,
                validation_loss: f64::INFINITY,
            },
            nets,
            objective,
            retreats: 0,
        }
    }

    pub(super) fn run(mut self, report: &mut dyn FnMut(&Progress)) -> Result<Best, Error> {
        let steps = self.options.steps;
        let pause = steps.div_ceil(LOOKS);
        let mut losses = Vec::with_capacity(pause);
        for step in 1..=steps {
            let loss = self.step(step - 1);
            losses.push(loss);
            if !loss.is_finite() {
                self.retreat(step, loss)?;
                losses.clear();
            } else if step % pause == 0 || step == steps {
                let training_loss = losses.iter().sum::<f64>() / losses.len() as f64;
                let validation_loss = self.validate();
                if validation_loss < self.best.validation_loss {
                    self.best.nets.clone_from(&self.nets);
                    self.best.step = step;
                    self.best.training_loss = training_loss;
                    self.best.validation_loss = validation_loss;
                }
                report(&Progress {
                    step,
                    steps,
                    loss: training_loss,
                    validation: validation_loss,
                });
                losses.clear();
            }
        }
        Ok(self.best)
    }

    /// One step of the optimizer, on one batch; gives the batch's loss.
    fn step(&mut self, step: usize) -> f64 {
        let rows = self.order.next(&mut self.rng);
        let (objective, nets) = (&self.objective, &self.nets);
        load(
            objective,
            self.split,
            nets,
            rows,
            &mut self.rng,
            &mut self.shards,
        );
        self.shards.par_iter_mut().for_each(|shard| {
            shard.loss = objective.loss_and_gradient(nets, &mut shard.rows, &mut shard.gradient);
        });
        let count = rows.len() as f64;
        let loss = self.shards.iter().map(|shard| shard.loss).sum::<f64>() / count;
        let gradient = sum_gradients(&mut self.shards);
        let length = norm(gradient) / count;
        if !length.is_finite() || !loss.is_finite() {
            return f64::NAN;
        }
        let factor = (LONGEST_GRADIENT / length).min(1.0) / count;
        let rate = self.options.learning_rate * 0.5f64.powi(self.retreats);
        let rate = rate * cosine_decay(step, self.options.steps);
        self.adam
            .step(&mut self.nets, gradient, factor as f32, rate);
        loss
    }

    /// The loss on the validation rows.
    fn validate(&mut self) -> f64 {
        let rng = &mut self.validation_rng.clone();
        let (objective, nets) = (&self.objective, &self.nets);
        let mut loss = 0.0;
        for rows in self.split.validation.chunks(self.shards.len() * SHARD_ROWS) {
            let shards = load(objective, self.split, nets, rows, rng, &mut self.shards);
            shards.par_iter_mut().for_each(|shard| {
                shard.loss = objective.loss(nets, &mut shard.rows);
            });
            loss += shards.iter().map(|shard| shard.loss).sum::<f64>();
        }
        loss / self.split.validation.len() as f64
    }

    /// Back to the best weights, to go on at half the rate.
    fn retreat(&mut self, step: usize, loss: f64) -> Result<(), Error> {
        self.retreats += 1;
        if self.retreats > MOST_RETREATS {
            return Err(Error::Diverged { step, loss });
        }
        self.nets.clone_from(&self.best.nets);
        self.adam = Adam::new(&self.nets);
        Ok(())
    }
}

/// Loads `rows` into as many shards as they fill.
fn load<'s, O: Objective<f32>>(
    objective: &O,
    split: &Split,
    nets: &[Mlp<f32>],
    rows: &[usize],
    rng: &mut Xoshiro256PlusPlus,
    shards: &'s mut [Shard<O::Shard>],
) -> &'s mut [Shard<O::Shard>] {
    let chunks = rows.chunks(SHARD_ROWS);
    let shards = &mut shards[..chunks.len()];
    for (shard, rows) in shards.iter_mut().zip(chunks) {
        if shard.count != rows.len() {
            shard.count = rows.len();
            shard.rows = objective.shard(nets, rows.len());
        }
        objective.load(
            split.points.view(),
            split.context,
            rows,
            rng,
            &mut shard.rows,
        );
    }
    shards
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

/// The rows to train on in random order, again and again.
struct Order {
    rows: Vec<usize>,
    batch: usize,
    next: usize,
}

impl Order {
    fn new(rows: &[usize], batch: usize) -> Self {
        Self {
            rows: rows.to_vec(),
            batch,
            next: rows.len(),
        }
    }

    /// The next batch; what is left over at the end waits for another shuffle.
    fn next(&mut self, rng: &mut Xoshiro256PlusPlus) -> &[usize] {
        if self.next + self.batch > self.rows.len() {
            self.rows.shuffle(rng);
            self.next = 0;
        }
        let batch = self.next..self.next + self.batch;
        self.next = batch.end;
        &self.rows[batch]
    }
}
