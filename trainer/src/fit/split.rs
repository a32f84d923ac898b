//! What is done to the rows before training.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rand::Rng;
use rand::seq::SliceRandom;

use super::FitOptions;
use crate::Error;
use crate::data::Dataset;

/// With fewer rows there is nothing to validate on.
const MINIMUM_ROWS: usize = 20;

/// More rows would cost time without telling more.
const MOST_VALIDATION_ROWS: usize = 10_000;

/// Standardized points, parted into rows to train on and rows to validate on.
#[derive(Debug)]
pub(super) struct Split<'a> {
    /// (x − mean) / std, `[n, dim]`
    pub(super) points: Array2<f32>,
    pub(super) context: ArrayView2<'a, f32>,
    pub(super) mean: Vec<f32>,
    pub(super) std: Vec<f32>,
    pub(super) training: Vec<usize>,
    pub(super) validation: Vec<usize>,
}

impl<'a> Split<'a> {
    pub(super) fn new<G: Rng>(
        dataset: &'a Dataset,
        options: &FitOptions,
        rng: &mut G,
    ) -> Result<Self, Error> {
        let rows = dataset.points.nrows();
        if rows < MINIMUM_ROWS {
            return Err(Error::TooFewRows {
                rows,
                minimum: MINIMUM_ROWS,
            });
        }
        let mut training: Vec<usize> = (0..rows).collect();
        training.shuffle(rng);
        let share = (options.validation_share * rows as f64).round() as usize;
        let validation = training.split_off(rows - share.clamp(1, rows.min(MOST_VALIDATION_ROWS)));
        let mut points = dataset.points.clone();
        let (mut mean, mut std) = (Vec::new(), Vec::new());
        for (column, mut values) in points.axis_iter_mut(Axis(1)).enumerate() {
            let (center, spread) = mean_and_std(values.view(), &training);
            if spread == 0.0 {
                return Err(Error::ConstantColumn {
                    column: dataset.labels.get(column).cloned().unwrap_or_default(),
                    value: values[training[0]],
                });
            }
            values.mapv_inplace(|x| ((f64::from(x) - center) / spread) as f32);
            mean.push(center as f32);
            std.push(spread as f32);
        }
        Ok(Self {
            points,
            context: dataset.context.view(),
            mean,
            std,
            training,
            validation,
        })
    }
}

fn mean_and_std(values: ArrayView1<f32>, rows: &[usize]) -> (f64, f64) {
    let count = rows.len() as f64;
    let mean = rows.iter().map(|&row| f64::from(values[row])).sum::<f64>() / count;
    let squares = rows
        .iter()
        .map(|&row| (f64::from(values[row]) - mean).powi(2));
    (mean, (squares.sum::<f64>() / count).sqrt())
}
