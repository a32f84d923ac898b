//! All that a step of training changes, and so all that a checkpoint holds.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::{Progress, Recipe};
use crate::nn::Mlp;
use crate::optimizer::Optimizer;

/// Training between two steps: from here on, equal options and data give equal weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// Steps done.
    pub(super) step: usize,
    pub(super) rng: Xoshiro256PlusPlus,
    pub(super) order: Order,
    pub(super) nets: Vec<Mlp<f32>>,
    /// The running average of `nets`, which fits better than they do: this is what is kept.
    pub(super) average: Vec<Mlp<f32>>,
    pub(super) optimizer: Optimizer,
    /// Ways back to the best weights so far.
    pub(super) retreats: i32,
    /// Losses since the last look.
    pub(super) losses: Mean,
    pub(super) best: Best,
    /// Looks since the best.
    pub(super) idle_looks: usize,
    pub(super) history: Vec<Progress>,
}

/// The weights that did best on the validation rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Best {
    pub(super) nets: Vec<Mlp<f32>>,
    pub(super) step: usize,
    pub(super) training_loss: f64,
    pub(super) validation_loss: f64,
}

impl State {
    /// Before the first step, with `nets` at random weights.
    pub(super) fn new(
        nets: Vec<Mlp<f32>>,
        recipe: Recipe,
        order: Order,
        rng: Xoshiro256PlusPlus,
    ) -> Self {
        Self {
            step: 0,
            order,
            rng,
            average: nets.clone(),
            optimizer: recipe.optimizer(&nets),
            retreats: 0,
            losses: Mean::default(),
            best: Best {
                nets: nets.clone(),
                step: 0,
                training_loss: f64::INFINITY,
                validation_loss: f64::INFINITY,
            },
            idle_looks: 0,
            history: Vec::new(),
            nets,
        }
    }
}

/// The mean of numbers that come one by one.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    pub(super) fn add(&mut self, number: f64) {
        self.sum += number;
        self.count += 1;
    }

    /// NaN where there is nothing to take it of.
    pub(super) fn value(self) -> f64 {
        self.sum / self.count as f64
    }
}

/// The rows to train on in random order, again and again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Order {
    rows: Vec<usize>,
    batch: usize,
    next: usize,
}

impl Order {
    pub(super) fn new(rows: &[usize], batch: usize) -> Self {
        Self {
            rows: rows.to_vec(),
            batch,
            next: rows.len(),
        }
    }

    /// The next batch; rows left over at the end wait for the next round.
    pub(super) fn next<G: Rng>(&mut self, rng: &mut G) -> &[usize] {
        if self.next + self.batch > self.rows.len() {
            self.rows.shuffle(rng);
            self.next = 0;
        }
        let batch = self.next..self.next + self.batch;
        self.next = batch.end;
        &self.rows[batch]
    }

    /// The batch given last.
    pub(super) fn last(&self) -> &[usize] {
        &self.rows[self.next.saturating_sub(self.batch)..self.next]
    }
}
