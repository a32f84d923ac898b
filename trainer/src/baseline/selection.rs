//! How many components a mixture should have.

use ndarray::{ArrayView2, Axis};

use super::expectation_maximization::fit;
use super::mixture::GaussianMixture;
use crate::data::evenly;

/// Numbers of components that are tried.
const COUNTS: [usize; 6] = [1, 2, 4, 8, 16, 32];
/// More rows would cost time without telling more.
const MOST_ROWS: usize = 10_000;
/// One run of rows in so many is kept out.
const PARTS: usize = 5;
/// Length of the runs, unless there are too few rows for one of each part.
const RUN: usize = 20;
/// Rows that a component should have, for each number of its mean.
const ROWS_A_DIMENSION: usize = 5;
/// Multiply-adds of one turn of the fit, in either of its halves, that are not worth waiting for.
const MOST_WORK: usize = 30_000_000;
/// So many numbers that do not help end the search.
const PATIENCE: usize = 2;

pub(super) fn select(points: ArrayView2<f64>, seed: u64) -> GaussianMixture {
    let rows = evenly(points.nrows(), MOST_ROWS);
    let points = points.select(Axis(0), &rows);
    let count = count(points.view(), seed);
    fit(points.view(), count, seed)
}

/// The number that gives the most likelihood to rows kept out.
fn count(points: ArrayView2<f64>, seed: u64) -> usize {
    let run = RUN.min(points.nrows() / PARTS).max(1);
    let is_kept_out = |row: &usize| row / run % PARTS == PARTS / 2;
    let (kept_out, training): (Vec<usize>, Vec<usize>) = (0..points.nrows()).partition(is_kept_out);
    if kept_out.is_empty() {
        return 1;
    }
    let [kept_out, training] = [kept_out, training].map(|rows| points.select(Axis(0), &rows));
    let (mut best, mut best_log_prob) = (1, f64::NEG_INFINITY);
    let mut failures = 0;
    for count in COUNTS {
        if failures == PATIENCE || !is_worth_trying(count, training.dim()) {
            break;
        }
        let mixture = fit(training.view(), count, seed);
        let log_prob = mixture.log_probs(kept_out.view()).iter().sum();
        if log_prob > best_log_prob {
            (best, best_log_prob, failures) = (count, log_prob, 0);
        } else {
            failures += 1;
        }
    }
    best
}

/// Whether there are rows enough for so many components, and not so many that they take too long.
fn is_worth_trying(count: usize, (rows, dim): (usize, usize)) -> bool {
    count == 1 || count * dim * ROWS_A_DIMENSION <= rows && count * rows * dim * dim <= MOST_WORK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_rows_and_too_much_work_are_not_tried() {
        assert!(is_worth_trying(1, (3, 64)));
        assert!(is_worth_trying(2, (328, 30)));
        assert!(!is_worth_trying(4, (328, 30)));
        assert!(is_worth_trying(32, (8000, 6)));
        assert!(!is_worth_trying(2, (8000, 64)));
    }
}
