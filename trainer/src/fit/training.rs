//! The loop.

use std::sync::atomic::{AtomicBool, Ordering};

use rand_xoshiro::Xoshiro256PlusPlus;

use super::checkpoint::Checkpoints;
use super::controls::{Controls, End};
use super::objective::Objective;
use super::shards::Shards;
use super::split::Split;
use super::state::{Mean, Order, State};
use super::{Culprit, FitOptions, Progress};
use crate::Error;
use crate::optimizer::{cosine_decay, pull};

/// Looks at the validation rows in a whole run, besides those at steps 1, 2, 4, 8 and so on, since
/// few rows are soon overfitted.
const LOOKS: usize = 100;

/// Longer gradients are cut to this length.
const LONGEST_GRADIENT: f64 = 1.0;

/// Validation rows are drawn noise for again until there are so many.
const ENOUGH_ROWS: usize = 4_000;

/// Ways back to the best weights before training gives up.
const MOST_RETREATS: i32 = 5;

/// Training under way: its state, and what it takes to change it.
pub(super) struct Training<'a, O: Objective<f32>> {
    options: &'a FitOptions,
    split: &'a Split,
    /// Of the columns.
    labels: &'a [String],
    /// The rows to validate on, with the noise that is the same at each look, and their number.
    validation: Vec<O::Shard>,
    validation_count: usize,
    shards: Shards<'a, O>,
    state: State,
}

impl<'a, O: Objective<f32>> Training<'a, O> {
    pub(super) fn new(
        objective: O,
        split: &'a Split,
        labels: &'a [String],
        options: &'a FitOptions,
        mut rng: Xoshiro256PlusPlus,
    ) -> Self {
        let nets = objective.nets(&options.hidden, &mut rng);
        let batch = options.batch.min(split.training.len());
        let draws = ENOUGH_ROWS.div_ceil(split.validation.len());
        let draws = draws.clamp(1, O::VALIDATION_DRAWS);
        let (points, context) = (split.points.view(), split.context.view());
        let shards = Shards::new(objective, points, context, &nets, batch);
        let validation_rows = split.validation.repeat(draws);
        Self {
            options,
            split,
            labels,
            validation: shards.loaded(&validation_rows, &mut rng),
            validation_count: validation_rows.len(),
            shards,
            state: State::new(
                nets,
                options.recipe,
                Order::new(&split.training, batch),
                rng,
            ),
        }
    }

    /// Trains until an end is reached, from where a checkpoint left off if there is one.
    pub(super) fn run(
        mut self,
        controls: &mut Controls<'_>,
        checkpoints: &mut Checkpoints<'_>,
    ) -> Result<(State, End), Error> {
        if let Some(state) = checkpoints.resume()? {
            self.state = state;
        }
        let mut reported = self.state.history.len();
        let end = loop {
            let stop = controls.stop;
            // On a thread of the pool, which wakes the others faster than one from outside.
            let end = rayon::scope(|_| self.advance_to_look(checkpoints, stop));
            self.state.history[reported..]
                .iter()
                .for_each(&mut controls.report);
            reported = self.state.history.len();
            let stopped = stop.load(Ordering::Relaxed) && self.end().is_none();
            if let Some(end) = end?.or(stopped.then_some(End::Stopped)) {
                break end;
            }
        };
        checkpoints.keep(&self.state);
        if end == End::Stopped && self.state.losses.value().is_finite() {
            // Not before the checkpoint: an unbroken run would not have looked here.
            self.look();
            self.state.history[reported..]
                .iter()
                .for_each(&mut controls.report);
        }
        if self.state.best.validation_loss.is_infinite() {
            // Too few steps to give up, but none of them was any good.
            return Err(self.diverged(f64::INFINITY));
        }
        Ok((self.state, end))
    }

    /// Steps up to the next look at the validation rows, or to an end.
    fn advance_to_look(
        &mut self,
        checkpoints: &mut Checkpoints<'_>,
        stop: &AtomicBool,
    ) -> Result<Option<End>, Error> {
        let looks = self.state.history.len();
        while self.state.history.len() == looks {
            if let Some(end) = self.end() {
                return Ok(Some(end));
            }
            self.advance()?;
            checkpoints.keep_when_due(&self.state);
            if stop.load(Ordering::Relaxed) && self.end().is_none() {
                return Ok(Some(End::Stopped));
            }
        }
        Ok(None)
    }

    /// Whether there is nothing left to do.
    fn end(&self) -> Option<End> {
        let patience = self.options.patience;
        if self.state.step >= self.options.steps {
            Some(End::Steps)
        } else if patience.is_some_and(|patience| self.state.idle_looks >= patience) {
            Some(End::Patience)
        } else {
            None
        }
    }

    /// One step, a look at the validation rows when it is time, and a retreat where it led astray.
    fn advance(&mut self) -> Result<(), Error> {
        let mut loss = self.step();
        self.state.step += 1;
        self.state.losses.add(loss);
        if loss.is_finite() && self.is_time_to_look() {
            loss = self.look();
        }
        if !loss.is_finite() {
            self.retreat(loss)?;
        }
        Ok(())
    }

    fn is_time_to_look(&self) -> bool {
        let (step, steps) = (self.state.step, self.options.steps);
        step.is_multiple_of(steps.div_ceil(LOOKS)) || step == steps || step.is_power_of_two()
    }

    /// One step of the optimizer, on one batch; gives the batch's loss.
    ///
    /// Weights stay as they were where the loss or its gradient is not finite.
    fn step(&mut self) -> f64 {
        let state = &mut self.state;
        let batch = state.order.next(&mut state.rng);
        let count = batch.len() as f64;
        let loss = self
            .shards
            .loss_and_gradient(&state.nets, batch, &mut state.rng);
        let length = loss.length / count;
        if !(loss.mean.is_finite() && length.is_finite()) {
            return f64::NAN;
        }
        let factor = (LONGEST_GRADIENT / length).min(1.0) / count;
        let share_left = cosine_decay(state.step, self.options.steps) * 0.5f64.powi(state.retreats);
        let rate = self.options.learning_rate * share_left;
        state
            .optimizer
            .step(&mut state.nets, loss.gradient, factor as f32, rate);
        let share = self.options.recipe.average_share(state.step + 1);
        pull(&mut state.average, &state.nets, share as f32);
        loss.mean
    }

    /// Validates the weights, keeps them where they are the best so far, and gives their loss.
    fn look(&mut self) -> f64 {
        let state = &mut self.state;
        let loss = self.shards.loss(&state.average, &self.validation);
        let progress = Progress {
            step: state.step,
            steps: self.options.steps,
            loss: state.losses.value(),
            validation: loss / self.validation_count as f64,
        };
        state.losses = Mean::default();
        state.idle_looks += 1;
        if progress.validation < state.best.validation_loss {
            state.best.nets.clone_from(&state.average);
            state.best.step = progress.step;
            state.best.training_loss = progress.loss;
            state.best.validation_loss = progress.validation;
            state.idle_looks = 0;
        }
        state.history.push(progress);
        progress.validation
    }

    /// Back to the best weights, to go on at half the rate.
    fn retreat(&mut self, loss: f64) -> Result<(), Error> {
        if self.state.retreats == MOST_RETREATS {
            return Err(self.diverged(loss));
        }
        let state = &mut self.state;
        state.retreats += 1;
        state.nets.clone_from(&state.best.nets);
        state.average.clone_from(&state.best.nets);
        state.optimizer.reset(&state.nets);
        state.losses = Mean::default();
        Ok(())
    }

    /// Says where a loss that is not finite comes from.
    fn diverged(&mut self, loss: f64) -> Error {
        let Self { state, shards, .. } = self;
        let (batch, layers) = (state.order.last(), state.nets.len());
        let rows = [batch, &self.split.validation].concat();
        let (nets, rng) = (&state.nets, &state.rng);
        let layer = shards
            .lost(nets, batch, rng)
            .or_else(|| shards.lost_gradient(nets, batch, rng))
            .or_else(|| shards.lost(&state.average, &self.split.validation, rng));
        let culprit = Culprit::column(self.split.points.view(), &rows, self.labels);
        let culprit = culprit.or(layer.map(|layer| Culprit::Layer {
            layer: layer + 1,
            layers,
        }));
        Error::Diverged {
            step: state.step,
            loss,
            culprit: culprit.unwrap_or(Culprit::Rate),
        }
    }
}
