//! The loop.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::objective::Objective;
use super::shards::Shards;
use super::split::Split;
use super::{FitOptions, Progress};
use crate::Error;
use crate::nn::Mlp;
use crate::optimizer::{Adam, cosine_decay, norm, pull};

/// Looks at the validation rows in a whole run, besides those at steps 1, 2, 4, 8 and so on, since
/// few rows are soon overfitted.
const LOOKS: usize = 100;

/// Longer gradients are cut to this length.
const LONGEST_GRADIENT: f64 = 1.0;

/// Share of the new weights in the running average at each step.
const AVERAGE_SHARE: f64 = 0.002;

/// Ways back to the best weights before training gives up.
const MOST_RETREATS: i32 = 5;

/// Training under way.
pub(super) struct Training<'a, O: Objective<f32>> {
    options: &'a FitOptions,
    validation_rows: Vec<usize>,
    shards: Shards<'a, O>,
    order: Order,
    rng: Xoshiro256PlusPlus,
    /// For the noise of the validation rows, the same at each look.
    validation_rng: Xoshiro256PlusPlus,
    nets: Vec<Mlp<f32>>,
    /// The running average of `nets`, which fits better than they do: this is what is kept.
    average: Vec<Mlp<f32>>,
    adam: Adam,
    retreats: i32,
    best: Best,
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
        split: &'a Split,
        options: &'a FitOptions,
        mut rng: Xoshiro256PlusPlus,
    ) -> Self {
        let nets = objective.nets(&options.hidden, &mut rng);
        let batch = options.batch.min(split.training.len());
        Self {
            options,
            validation_rows: split.validation.repeat(O::VALIDATION_DRAWS),
            shards: Shards::new(
                objective,
                split.points.view(),
                split.context.view(),
                &nets,
                batch,
            ),
            order: Order::new(&split.training, batch),
            validation_rng: Xoshiro256PlusPlus::from_rng(&mut rng),
            rng,
            average: nets.clone(),
            adam: Adam::new(&nets),
            retreats: 0,
            best: Best {
                nets: nets.clone(),
                step: 0,
                training_loss: f64::INFINITY,
                validation_loss: f64::INFINITY,
            },
            nets,
        }
    }

    pub(super) fn run(mut self, report: &mut dyn FnMut(&Progress)) -> Result<Best, Error> {
        let steps = self.options.steps;
        let pause = steps.div_ceil(LOOKS);
        let mut losses = Vec::with_capacity(pause);
        for step in 1..=steps {
            let mut loss = self.step(step);
            losses.push(loss);
            if loss.is_finite() && (step % pause == 0 || step == steps || step.is_power_of_two()) {
                let training_loss = losses.iter().sum::<f64>() / losses.len() as f64;
                let progress = self.look(step, training_loss);
                report(&progress);
                losses.clear();
                loss = progress.validation;
            }
            if !loss.is_finite() {
                self.retreat(step, loss)?;
                losses.clear();
            }
        }
        if self.best.validation_loss.is_infinite() {
            // Too few steps to give up, but none of them was any good.
            let loss = f64::INFINITY;
            return Err(Error::Diverged { step: steps, loss });
        }
        Ok(self.best)
    }

    /// One step of the optimizer, on one batch; gives the batch's loss.
    ///
    /// Weights stay as they were where the loss or its gradient is not finite.
    fn step(&mut self, step: usize) -> f64 {
        let batch = self.order.next(&mut self.rng);
        let count = batch.len() as f64;
        let (loss, gradient) = self
            .shards
            .loss_and_gradient(&self.nets, batch, &mut self.rng);
        let length = norm(gradient) / count;
        if !(loss.is_finite() && length.is_finite()) {
            return f64::NAN;
        }
        let factor = (LONGEST_GRADIENT / length).min(1.0) / count;
        let share_left = cosine_decay(step - 1, self.options.steps) * 0.5f64.powi(self.retreats);
        let rate = self.options.learning_rate * share_left;
        self.adam
            .step(&mut self.nets, gradient, factor as f32, rate);
        // A plain mean at first, so that the weights at the start don't linger.
        let share = AVERAGE_SHARE.max(1.0 / step as f64);
        pull(&mut self.average, &self.nets, share as f32);
        loss
    }

    /// Validates the weights, and keeps them where they are the best so far.
    fn look(&mut self, step: usize, training_loss: f64) -> Progress {
        let rng = &mut self.validation_rng.clone();
        let validation = self.shards.loss(&self.average, &self.validation_rows, rng);
        if validation < self.best.validation_loss {
            self.best.nets.clone_from(&self.average);
            self.best.step = step;
            self.best.training_loss = training_loss;
            self.best.validation_loss = validation;
        }
        Progress {
            step,
            steps: self.options.steps,
            loss: training_loss,
            validation,
        }
    }

    /// Back to the best weights, to go on at half the rate.
    fn retreat(&mut self, step: usize, loss: f64) -> Result<(), Error> {
        self.retreats += 1;
        if self.retreats > MOST_RETREATS {
            return Err(Error::Diverged { step, loss });
        }
        self.nets.clone_from(&self.best.nets);
        self.average.clone_from(&self.best.nets);
        self.adam = Adam::new(&self.nets);
        Ok(())
    }
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

    /// The next batch; rows left over at the end wait for the next round.
    fn next<G: Rng>(&mut self, rng: &mut G) -> &[usize] {
        if self.next + self.batch > self.rows.len() {
            self.rows.shuffle(rng);
            self.next = 0;
        }
        let batch = self.next..self.next + self.batch;
        self.next = batch.end;
        &self.rows[batch]
    }
}
