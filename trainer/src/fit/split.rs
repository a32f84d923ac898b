//! What is done to the rows before training.

use ndarray::{Array2, ArrayView1, ArrayViewMut1, Axis};
use rand::{Rng, RngExt};

use crate::Error;
use crate::data::Dataset;
use crate::whitening::{best_factor, whiten};

/// With fewer rows there is nothing to validate on.
const MINIMUM_ROWS: usize = 20;

/// More rows would cost time without telling more.
const MOST_VALIDATION_ROWS: usize = 10_000;

/// Length of the runs of rows kept out: longer ones might take all there is of something.
const RUN: usize = 20;

/// With fewer dimensions there is nothing to whiten: one coupling takes out what two columns have in
/// common.
const FEWEST_DIMENSIONS: usize = 3;

/// Standardized points, parted into rows to train on and rows to validate on.
#[derive(Debug)]
pub(super) struct Split {
    /// (x − mean) / std, whitened where there is a factor, `[n, dim]`
    pub(super) points: Array2<f32>,
    /// The same for the context, `[n, context_dim]`
    pub(super) context: Array2<f32>,
    /// Of the columns of the points, then of those of the context.
    pub(super) mean: Vec<f32>,
    pub(super) std: Vec<f32>,
    /// The Cholesky factor of the columns' correlation.
    pub(super) factor: Option<Array2<f32>>,
    pub(super) training: Vec<usize>,
    pub(super) validation: Vec<usize>,
}

impl Split {
    /// Keeps rows out for validation, and standardizes by those to train on; whitens too where that
    /// may help, and does by the validation rows.
    pub(super) fn new<G: Rng>(
        dataset: &Dataset,
        validation_share: f64,
        may_whiten: bool,
        rng: &mut G,
    ) -> Result<Self, Error> {
        let (training, validation) = part(dataset.points.nrows(), validation_share, rng)?;
        let mut points = dataset.points.clone();
        let (mut mean, mut std) = (Vec::new(), Vec::new());
        for (column, values) in points.axis_iter_mut(Axis(1)).enumerate() {
            let (center, spread) =
                mean_and_std(values.view(), &training).ok_or_else(|| Error::ConstantColumn {
                    column: dataset.labels.get(column).cloned().unwrap_or_default(),
                    value: values[training[0]],
                })?;
            standardize(values, center, spread);
            mean.push(center);
            std.push(spread);
        }
        let factor = (may_whiten && dataset.points.ncols() >= FEWEST_DIMENSIONS)
            .then(|| best_factor(points.view(), &training, &validation))
            .flatten();
        if let Some(factor) = &factor {
            whiten(&mut points, factor);
        }
        let mut context = dataset.context.clone();
        for values in context.axis_iter_mut(Axis(1)) {
            // A category that is always the same may stay, as it is.
            let (center, spread) = mean_and_std(values.view(), &training).unwrap_or((0.0, 1.0));
            standardize(values, center, spread);
            mean.push(center);
            std.push(spread);
        }
        Ok(Self {
            points,
            context,
            mean,
            std,
            factor,
            training,
            validation,
        })
    }
}

/// Rows to train on, and rows to validate on: runs of neighbours, spread over the whole table.
///
/// Neighbours in a table are often alike, as overlapping windows of a recording are. Single rows
/// kept out would have their likes in training, and so would never tell of overfitting.
fn part<G: Rng>(rows: usize, share: f64, rng: &mut G) -> Result<(Vec<usize>, Vec<usize>), Error> {
    if rows < MINIMUM_ROWS {
        let minimum = MINIMUM_ROWS;
        return Err(Error::TooFewRows { rows, minimum });
    }
    let count = ((share * rows as f64).round() as usize).clamp(1, MOST_VALIDATION_ROWS);
    let runs = (count / RUN).max(1);
    let mut kept_out = vec![false; rows];
    for run in 0..runs {
        let end = |whole: usize| [run * whole / runs, (run + 1) * whole / runs];
        let ([from, to], [first, last]) = (end(rows), end(count));
        let start = rng.random_range(from..=to - (last - first));
        kept_out[start..start + (last - first)].fill(true);
    }
    Ok((0..rows).partition(|&row| !kept_out[row]))
}

/// (x − mean) / std
fn standardize(mut values: ArrayViewMut1<f32>, mean: f32, std: f32) {
    let (mean, std) = (f64::from(mean), f64::from(std));
    values.mapv_inplace(|x| ((f64::from(x) - mean) / std) as f32);
}

/// The mean and standard deviation over `rows`, unless all values are the same, or as good as.
fn mean_and_std(values: ArrayView1<f32>, rows: &[usize]) -> Option<(f32, f32)> {
    let count = rows.len() as f64;
    let values = || rows.iter().map(|&row| f64::from(values[row]));
    let mean = values().sum::<f64>() / count;
    let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let std = variance.sqrt() as f32;
    // 0 where all are the same: in f64 the sum of equal f32 is exact.
    std.is_normal().then_some((mean as f32, std))
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    fn dataset(points: Array2<f32>) -> Dataset {
        Dataset {
            name: "test".into(),
            context: Array2::ones((points.nrows(), 1)),
            labels: vec!["first".into(), "second".into(), "given".into()],
            points,
        }
    }

    fn split(dataset: &Dataset) -> Result<Split, Error> {
        Split::new(
            dataset,
            0.1,
            true,
            &mut Xoshiro256PlusPlus::seed_from_u64(7),
        )
    }

    #[test]
    fn each_row_is_trained_on_or_validated_on() {
        let dataset = dataset(Array2::from_shape_fn((50, 2), |(i, j)| (i * i + j) as f32));
        let split = split(&dataset).unwrap();
        assert_eq!((split.training.len(), split.validation.len()), (45, 5));
        let mut rows = [split.training, split.validation].concat();
        rows.sort_unstable();
        assert!(rows.into_iter().eq(0..50));
    }

    #[test]
    fn validation_rows_are_runs_all_over_the_table() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
        let (training, validation) = part(1001, 0.1, &mut rng).unwrap();
        assert_eq!((training.len(), validation.len()), (901, 100));
        for (i, run) in validation.chunks(20).enumerate() {
            assert_eq!(run[19], run[0] + 19, "{run:?}");
            assert!((i * 200..=(i + 1) * 201).contains(&run[0]), "{run:?}");
        }
    }

    #[test]
    fn training_rows_have_mean_0_and_variance_1() {
        // Sums of 45 numbers in f32.
        const TOLERANCE: f32 = 1e-5;
        let dataset = dataset(Array2::from_shape_fn((50, 2), |(i, j)| {
            1000.0 * (j + 1) as f32 + i as f32
        }));
        let split = split(&dataset).unwrap();
        for column in split.points.columns() {
            let values: Vec<f32> = split.training.iter().map(|&row| column[row]).collect();
            let mean = values.iter().sum::<f32>() / 45.0;
            let square = values.iter().map(|x| x * x).sum::<f32>() / 45.0;
            assert!(mean.abs() < TOLERANCE, "{mean}");
            assert!((square - 1.0).abs() < TOLERANCE, "{square}");
        }
    }

    #[test]
    fn a_context_is_standardized_where_it_is_not_constant() {
        let points = Array2::from_shape_fn((50, 2), |(i, j)| (i * i + j) as f32);
        let mut dataset = dataset(points.clone());
        dataset.context = Array2::from_shape_fn((50, 2), |(i, j)| [points[[i, 0]], 7.0][j]);
        let split = split(&dataset).unwrap();
        assert_eq!(split.context.column(0), split.points.column(0));
        assert_eq!(split.context.column(1), dataset.context.column(1));
        assert_eq!(split.mean[2..], [split.mean[0], 0.0]);
        assert_eq!(split.std[2..], [split.std[0], 1.0]);
    }

    #[test]
    fn a_constant_column_is_named() {
        let dataset = dataset(Array2::from_shape_fn((50, 2), |(i, j)| {
            if j == 0 { i as f32 } else { 0.1 }
        }));
        let error = split(&dataset).unwrap_err().to_string();
        assert_eq!(
            error,
            "column second is constant at 0.1: leave it out with --columns"
        );
    }

    #[test]
    fn too_few_rows_are_refused() {
        let dataset = dataset(Array2::from_shape_fn((19, 2), |(i, j)| (i + j) as f32));
        let error = split(&dataset).unwrap_err();
        assert!(matches!(
            error,
            Error::TooFewRows {
                rows: 19,
                minimum: 20
            }
        ));
    }
}
