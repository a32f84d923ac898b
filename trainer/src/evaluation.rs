//! How close a trained model comes to a law that is known exactly.

use std::num::NonZeroU16;

use flowlet::{Kind, Model};
use ndarray::Array2;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use crate::Error;
use crate::data::toy::ToySet;
use crate::inference::{log_probs, noise, transport};
use crate::metrics::{energy_distances, sliced_w2s};

/// Points that each figure is computed on.
pub const POINTS: usize = 10_000;

/// A model beside the law of its data, in standardized space.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Mean of `−ln p(x)` over fresh points in nats; none for flow matching.
    pub nll: Option<f64>,
    /// The same by the exact density, on the same points.
    pub exact_nll: f64,
    /// [Sliced Wasserstein-2 distance](crate::metrics::sliced_w2) of as many samples to the fresh points.
    pub sliced_w2: f64,
    /// What it is for the law itself.
    pub sliced_w2_floor: NoiseFloor,
    /// [Energy distance](crate::metrics::energy_distance) of the samples to the fresh points.
    pub energy_distance: f64,
    /// What it is for the law itself.
    pub energy_distance_floor: NoiseFloor,
    /// The samples, in the data's units.
    pub samples: Array2<f32>,
    /// The fresh points, in the data's units.
    pub points: Array2<f32>,
}

/// A distance to the fresh points of independent points of the law, eight times as many drawn anew.
///
/// This is what a perfect model would reach. Two models whose distances differ by less than `std` cannot
/// be told apart by them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseFloor {
    /// Mean of the draws' distances.
    pub mean: f64,
    /// Their standard deviation.
    pub std: f64,
}

/// Draws that a noise floor is taken over.
const FLOOR_DRAWS: usize = 8;

impl NoiseFloor {
    fn of(distances: &[f64]) -> Self {
        let count = distances.len() as f64;
        let mean = distances.iter().sum::<f64>() / count;
        let squares = distances.iter().map(|distance| (distance - mean).powi(2));
        let std = (squares.sum::<f64>() / (count - 1.0)).sqrt();
        Self { mean, std }
    }
}

/// Holds a model against fresh points of the toy set that it was fitted to.
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
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let data = set.sample(POINTS, &mut rng);
    let noise = noise(POINTS, model.dim(), seed);
    let samples = transport(model, &noise, &data.context, step_count)?;
    let standardized = |points: &Array2<f32>| standardize(model, points);
    let points = standardized(&data.points);
    let mut sets = vec![standardized(&samples)];
    sets.extend((0..FLOOR_DRAWS).map(|_| standardized(&set.sample_independent(POINTS, &mut rng))));
    let sets: Vec<_> = sets.iter().map(|set| set.view()).collect();
    let sliced_w2s = sliced_w2s(&sets, points.view());
    let energy_distances = energy_distances(&sets, points.view());
    Ok(Evaluation {
        nll: nll(model, &data.points, &data.context)?,
        exact_nll: exact_nll(set, &data.points) - log_std(model),
        sliced_w2: sliced_w2s[0],
        sliced_w2_floor: NoiseFloor::of(&sliced_w2s[1..]),
        energy_distance: energy_distances[0],
        energy_distance_floor: NoiseFloor::of(&energy_distances[1..]),
        samples,
        points: data.points,
    })
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
    model
        .std()
        .take(model.dim())
        .map(|std| f64::from(std).ln())
        .sum()
}

/// `points` in standardized space.
pub(crate) fn standardize(model: &Model<'_>, points: &Array2<f32>) -> Array2<f32> {
    let mean: Vec<f32> = model.mean().collect();
    let std: Vec<f32> = model.std().collect();
    let mut points = points.clone();
    for mut row in points.rows_mut() {
        for (i, x) in row.iter_mut().enumerate() {
            *x = (*x - mean[i]) / std[i];
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;
    use std::ops::Range;

    use flowlet::{Activation, Precision};
    use ndarray::{Array1, Array2};

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
        let nll = found.nll.unwrap();
        assert!((nll - expected).abs() < NLL_TOLERANCE, "{nll}");
        assert!(found.exact_nll < nll - 1.0, "{}", found.exact_nll);
        for (distance, floor, known) in [
            (found.sliced_w2, found.sliced_w2_floor, SLICED_W2_FLOOR),
            (
                found.energy_distance,
                found.energy_distance_floor,
                ENERGY_DISTANCE_FLOOR,
            ),
        ] {
            assert!(known.contains(&floor.mean), "{floor:?}");
            assert!((0.1..1.0).contains(&(floor.std / floor.mean)), "{floor:?}");
            assert!(distance > floor.mean + 10.0 * floor.std, "{distance}");
        }
    }

    #[test]
    fn floor_is_mean_and_spread_of_the_distances() {
        let floor = NoiseFloor::of(&[1.0, 2.0, 6.0]);
        // Squares 4, 1 and 9 over two degrees of freedom.
        let expected = NoiseFloor {
            mean: 3.0,
            std: 7.0f64.sqrt(),
        };
        assert_eq!(floor, expected);
    }
}
