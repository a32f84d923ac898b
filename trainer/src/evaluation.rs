//! How close a trained model comes to a law that is known exactly, or to rows of a table.
//!
//! All figures are of standardized space, so that they can be compared between columns and data sets.

mod baselines;
mod floor;
mod reference;

use std::num::NonZeroU16;

use flowlet::{Kind, Model};
use ndarray::Array2;
use rayon::prelude::*;

pub use baselines::Baselines;
pub use floor::{Measured, NoiseFloor};
pub use reference::{FLOOR_DRAWS, MOST_PAIRED, MOST_ROWS, Reference};

use crate::Error;
use crate::data::Dataset;
use crate::data::toy::ToySet;
use crate::inference::log_probs;
use crate::metrics::RowSpread;

/// Points that each figure of a toy set is computed on.
pub const POINTS: usize = 10_000;

/// A model beside the points of a [`Reference`].
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// `−ln p(x)` over the points in nats; none for flow matching.
    pub nll: Option<RowSpread>,
    /// Its mean by the exact density, on the same points; none for tables.
    pub exact_nll: Option<f64>,
    /// How far samples are from the points; none where there are fewer than 20.
    pub distances: Option<Samples>,
    /// Where samples lie, for [`ToySet::Gaussians`].
    pub modes: Option<ModeFigures>,
    /// The samples, in the data's units.
    pub samples: Array2<f32>,
}

/// How far samples are from points, each figure beside its noise floor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Samples {
    /// [Sliced Wasserstein-2 distance](crate::metrics::sliced_w2).
    pub sliced_w2: Measured,
    /// [Energy distance](crate::metrics::energy_distance).
    pub energy_distance: Measured,
    /// [Squared maximum mean discrepancy](crate::metrics::squared_mmd) of the first [`MOST_PAIRED`].
    pub squared_mmd: Measured,
    /// [Accuracy of the classifier two-sample test](crate::metrics::two_sample_accuracy) on the first
    /// [`MOST_PAIRED`] of both.
    pub two_sample_accuracy: Measured,
}

/// Where samples lie among the modes of eight Gaussians, beside what independent points of the law do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModeFigures {
    /// [Share between the modes](crate::metrics::Modes::between).
    pub between: Measured,
    /// [Largest deviation of a mode's weight](crate::metrics::Modes::weight_deviation).
    pub weight_deviation: Measured,
}

/// Holds a model against [`POINTS`] fresh points of the toy set that it was fitted to.
///
/// To evaluate several, make one [`Reference`] for them.
///
/// # Errors
///
/// [`Error::Runtime`] where the model is not one of two dimensions without context.
pub fn evaluate(
    model: &Model<'_>,
    set: ToySet,
    step_count: Option<NonZeroU16>,
    seed: u64,
) -> Result<Evaluation, Error> {
    crate::inference::check_columns(model, 2, 0)?;
    Reference::of_toy_set(set, POINTS, model, seed).evaluate(model, step_count)
}

/// The space in which columns have mean 0 and variance 1 over the rows that a model was trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl Space {
    /// The space of the model's training rows.
    pub fn of(model: &Model<'_>) -> Self {
        Self {
            mean: model.mean().take(model.dim()).collect(),
            std: model.std().take(model.dim()).collect(),
        }
    }

    /// Takes `points` `[n, dim]` there.
    pub fn standardize(&self, points: &Array2<f32>) -> Array2<f32> {
        let mut points = points.clone();
        for mut row in points.rows_mut() {
            for (i, x) in row.iter_mut().enumerate() {
                *x = (*x - self.mean[i]) / self.std[i];
            }
        }
        points
    }

    /// Takes `points` `[n, dim]` there, in `f64`.
    fn standardize_f64(&self, points: &Array2<f32>) -> Array2<f64> {
        self.standardize(points).mapv(f64::from)
    }

    /// `Σ ln std`: what a log-probability gains by going there.
    pub fn log_std(&self) -> f64 {
        self.std.iter().map(|std| f64::from(*std).ln()).sum()
    }
}

/// `−ln p(x)` of each row in the nats of `space`.
fn row_nlls(model: &Model<'_>, data: &Dataset, space: &Space) -> Result<Vec<f64>, Error> {
    let log_std = space.log_std();
    let log_probs = log_probs(model, &data.points, &data.context)?;
    let nll = |log_prob| -f64::from(log_prob) - log_std;
    Ok(log_probs.into_iter().map(nll).collect())
}

/// Mean of `−ln p(x)` in standardized nats; none for flow matching.
pub(crate) fn nll(
    model: &Model<'_>,
    points: &Array2<f32>,
    context: &Array2<f32>,
) -> Result<Option<f64>, Error> {
    if matches!(model.kind(), Kind::FlowMatching { .. }) {
        return Ok(None);
    }
    let sum: f64 = log_probs(model, points, context)?
        .into_iter()
        .map(f64::from)
        .sum();
    Ok(Some(-sum / points.nrows() as f64 - log_std(model)))
}

fn exact_nll(set: ToySet, points: &Array2<f32>) -> f64 {
    let log_density = |i| set.log_density([points[[i, 0]].into(), points[[i, 1]].into()]);
    let count = points.nrows();
    // Summed in order, so that threads change no bit.
    let log_densities: Vec<f64> = (0..count).into_par_iter().map(log_density).collect();
    -log_densities.iter().sum::<f64>() / count as f64
}

/// `Σ ln std`: what a log-probability gains by going to standardized space.
pub fn log_std(model: &Model<'_>) -> f64 {
    Space::of(model).log_std()
}

/// `points` in standardized space.
pub(crate) fn standardize(model: &Model<'_>, points: &Array2<f32>) -> Array2<f32> {
    Space::of(model).standardize(points)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;
    use std::ops::Range;

    use flowlet::{Activation, Precision};
    use ndarray::{Array1, Array2};
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::export::export;
    use crate::flow::{Flow, FlowKind};
    use crate::nn::{Dense, Mlp};

    /// The normal distribution with the mean and standard deviation of moons.
    fn normal() -> Flow {
        let still = Dense {
            weight: Array2::zeros((2, 1)),
            bias: Array1::zeros(2),
        };
        Flow {
            name: "normal".into(),
            labels: vec![],
            dim: 2,
            context_dim: 0,
            mean: vec![0.5, 0.25],
            std: vec![0.8675, 0.4952],
            factor: None,
            kind: FlowKind::RealNvp { scale_clip: 1.0 },
            nets: vec![Mlp {
                layers: vec![still],
                activation: Activation::Tanh,
            }],
        }
    }

    #[test]
    fn a_normal_distribution_is_held_against_moons() {
        // The standardized points have mean 0 and variance 1, but for a grid of angles and the noise.
        const NLL_TOLERANCE: f64 = 0.01;
        // Independent points of the law, six draws by an independent implementation: 0.0150 ± 0.0044,
        // and 2.0e-4 ± 1.1e-4.
        const SLICED_W2_FLOOR: Range<f64> = 0.0105..0.0195;
        const ENERGY_DISTANCE_FLOOR: Range<f64> = 0.8e-4..3.2e-4;

        let file = export(&normal(), Precision::F32).unwrap();
        let found = evaluate(&file.model().unwrap(), ToySet::Moons, None, 1).unwrap();
        let expected = TAU.ln() + 1.0;
        let nll = found.nll.unwrap().mean;
        assert!((nll - expected).abs() < NLL_TOLERANCE, "{nll}");
        assert!(found.exact_nll.unwrap() < nll - 1.0, "{found:?}");
        let distances = found.distances.unwrap();
        for (measured, known) in [
            (distances.sliced_w2, SLICED_W2_FLOOR),
            (distances.energy_distance, ENERGY_DISTANCE_FLOOR),
        ] {
            let floor = measured.floor;
            assert!(known.contains(&floor.mean), "{floor:?}");
            assert!((0.1..1.0).contains(&(floor.std / floor.mean)), "{floor:?}");
            assert!(measured.deviations() > 10.0, "{measured:?}");
        }
    }
    /// Points of the normal distribution that [`normal`] is, or shifted by so many standard deviations.
    fn rows(seed: u64, count: usize, shift: f32) -> Dataset {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut normal = || flowlet::StandardNormal.sample(&mut rng);
        let points = Array2::from_shape_fn((count, 2), |(_, column)| {
            [0.5, 0.25][column] + [0.8675, 0.4952][column] * (normal() + shift)
        });
        Dataset {
            name: "rows".into(),
            points,
            context: Array2::zeros((count, 0)),
            labels: vec![],
        }
    }

    #[test]
    fn rows_of_the_models_own_law_are_at_the_floor_and_others_are_above() {
        let file = export(&normal(), Precision::F32).unwrap();
        let model = file.model().unwrap();
        let reference = |shift| Reference::of_table(rows(1, 1000, shift), &model, 2);
        let measured = |reference: &Reference| {
            let of = reference.evaluate(&model, None).unwrap().distances.unwrap();
            [
                of.sliced_w2,
                of.energy_distance,
                of.squared_mmd,
                of.two_sample_accuracy,
            ]
        };
        let at_home = reference(0.0);
        assert_eq!(at_home.compared(), 500);
        for measured in measured(&at_home) {
            assert!(measured.deviations().abs() < 3.0, "{measured:?}");
        }
        for measured in measured(&reference(1.0)) {
            assert!(measured.deviations() > 10.0, "{measured:?}");
        }
    }

    #[test]
    fn nll_of_rows_is_the_normal_distributions() {
        // By a formula instead of log-probabilities in f32.
        const TOLERANCE: f64 = 1e-5;
        let file = export(&normal(), Precision::F32).unwrap();
        let model = file.model().unwrap();
        let mut data = rows(1, 10, 0.0);
        data.points.fill(0.25);
        // Two columns that lie 0.25 and 0 below their means.
        let expected = TAU.ln() + 0.5 * (0.25f64 / 0.8675).powi(2);
        let reference = Reference::of_table(data, &model, 2);
        let found = reference.evaluate(&model, None).unwrap();
        let nll = found.nll.unwrap();
        assert!((nll.mean - expected).abs() < TOLERANCE, "{nll:?}");
        assert_eq!((nll.rows, nll.carriers), (10, 0));
        assert!(found.distances.is_none() && found.exact_nll.is_none());
    }

    #[test]
    fn baselines_of_a_normal_distribution_are_itself() {
        /// Six parameters fitted on 1,000 rows cost about 0.003 nats.
        const TOLERANCE: f64 = 0.015;
        let file = export(&normal(), Precision::F32).unwrap();
        let model = file.model().unwrap();
        let reference = Reference::of_table(rows(1, 1000, 0.0), &model, 2);
        let nll = reference.evaluate(&model, None).unwrap().nll.unwrap();
        let baselines = reference.baselines(&rows(3, 1000, 0.0).points, 4);
        assert_eq!(baselines.component_count, 1);
        assert_eq!(baselines.gaussian, baselines.mixture);
        let lost = baselines.gaussian.mean - nll.mean;
        assert!(lost.abs() < TOLERANCE, "{lost}");
    }
}
