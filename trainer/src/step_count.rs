//! How many Euler steps a flow-matching model needs.

use std::num::NonZeroU16;

use flowlet::Model;
use ndarray::{Array2, s};

use crate::Error;
use crate::evaluation::standardize;
use crate::inference::{noise, transport};
use crate::metrics::energy_distances;

/// The counts to choose from; the last is what the others are held against.
pub const STEP_COUNTS: [u16; 8] = [1, 2, 4, 8, 16, 32, 64, 100];

/// More rows tell little more, and their distances take the square of the time.
const MOST_ROWS: usize = 4_000;

/// Parts of the rows, each with noise of its own, that each count is tried on.
const DRAWS: u64 = 4;

/// Standard errors that fewer steps may cost: less than what another draw of the noise would change.
const ALLOWED: f64 = 0.25;

/// The step count chosen, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct StepCount {
    /// The smallest of [`STEP_COUNTS`] whose samples are as close to the rows as those of 100 steps, within
    /// their noise.
    pub chosen: NonZeroU16,
    /// The mean [energy distance](crate::metrics::energy_distance) of the samples of each of
    /// [`STEP_COUNTS`] to the rows.
    pub energy_distances: [f64; STEP_COUNTS.len()],
    /// The standard error of that of 100 steps: it is a mean over four parts of the rows.
    pub noise: f64,
}

impl StepCount {
    /// The first count whose mean distance is at most a quarter of a standard error above that of the last.
    fn of(distances: &[[f64; DRAWS as usize]; STEP_COUNTS.len()]) -> Self {
        let mean = |draws: &[f64; DRAWS as usize]| draws.iter().sum::<f64>() / DRAWS as f64;
        let energy_distances = distances.map(|draws| mean(&draws));
        let [.., last] = energy_distances;
        let [.., draws] = distances;
        let squares = draws.map(|distance| (distance - last).powi(2));
        let noise = (squares.iter().sum::<f64>() / (DRAWS * (DRAWS - 1)) as f64).sqrt();
        let good = |&i: &usize| energy_distances[i] <= last + ALLOWED * noise;
        let first = (0..STEP_COUNTS.len()).find(good);
        let chosen = STEP_COUNTS[first.unwrap_or(STEP_COUNTS.len() - 1)];
        Self {
            chosen: NonZeroU16::new(chosen).expect("no count is 0"),
            energy_distances,
            noise,
        }
    }
}

/// Chooses the step count of a flow-matching model by rows of its law that it was not trained on.
///
/// Each quarter of the rows is held against samples from noise of its own, the same for all counts: so
/// these differ by their steps alone, and what is left to chance shows between the quarters.
///
/// # Shapes
///
/// `points`: `[n, dim]` in the data's units, `context`: `[n, context_dim]`; at most 16,000 rows are used.
/// With fewer than four, 100 steps are chosen.
///
/// # Errors
///
/// [`Error::Runtime`] where the rows have not the model's columns.
///
/// # Cost
///
/// 227 steps a row; about a second for int8 nets of the default size.
pub fn choose_step_count(
    model: &Model<'_>,
    points: &Array2<f32>,
    context: &Array2<f32>,
    seed: u64,
) -> Result<StepCount, Error> {
    let count = (points.nrows() / DRAWS as usize).min(MOST_ROWS);
    let mut distances = [[0.0; DRAWS as usize]; STEP_COUNTS.len()];
    for draw in 0..DRAWS {
        let first = draw as usize * count;
        let rows = s![first..first + count, ..];
        let context = context.slice(rows).to_owned();
        let target = standardize(model, &points.slice(rows).to_owned());
        let noise = noise(count, model.dim(), seed.wrapping_add(draw));
        let samples = |step_count| {
            let samples = transport(model, &noise, &context, NonZeroU16::new(step_count))?;
            Ok(standardize(model, &samples))
        };
        let samples: Result<Vec<_>, Error> = STEP_COUNTS.into_iter().map(samples).collect();
        let samples = samples?;
        let views: Vec<_> = samples.iter().map(|samples| samples.view()).collect();
        let found = energy_distances(&views, target.view());
        for (distances, found) in distances.iter_mut().zip(found) {
            distances[draw as usize] = found;
        }
    }
    Ok(StepCount::of(&distances))
}

#[cfg(test)]
mod tests {
    use flowlet::Precision;

    use super::*;
    use crate::export::export;
    use crate::flow::Flow;

    /// For the velocity 1 + `slope` · x.
    fn chosen(slope: f32) -> u16 {
        let file = export(&Flow::linear_field(slope, 1.0, 100), Precision::F32).unwrap();
        let model = file.model().unwrap();
        // Where 100 steps lead, from noise of its own.
        let context = Array2::zeros((8000, 0));
        let points = transport(&model, &noise(8000, 1, 99), &context, None).unwrap();
        choose_step_count(&model, &points, &context, 1)
            .unwrap()
            .chosen
            .get()
    }

    #[test]
    fn straight_paths_take_one_step() {
        assert_eq!(chosen(0.0), 1);
    }

    #[test]
    fn the_steeper_the_field_the_more_steps() {
        let (gentle, steep) = (chosen(0.5), chosen(3.0));
        assert!(1 < gentle && gentle < steep, "{gentle}, {steep}");
    }

    #[test]
    fn the_first_within_the_noise_is_chosen() {
        let mut distances = [[1.0, 2.0, 1.0, 2.0]; STEP_COUNTS.len()];
        // A quarter of 0.29 above 1.5 is 1.572.
        distances[0] = [1.58, 1.58, 1.58, 1.58];
        distances[1] = [1.58, 1.54, 1.58, 1.58];
        let found = StepCount::of(&distances);
        // Mean 1.5; four squares of 0.5 over three degrees of freedom and four draws.
        assert!((found.noise - (1.0f64 / 12.0).sqrt()).abs() < 1e-12);
        assert_eq!(found.chosen.get(), 2);
    }
}
