//! How close a trained model comes to a law that is known exactly.

use std::num::NonZeroU16;

use flowlet::{Kind, Model};
use ndarray::Array2;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::Error;
use crate::data::toy::ToySet;
use crate::inference::{log_probs, noise, transport};
use crate::metrics::sliced_w2;

/// Points that each figure is computed on.
pub const POINTS: usize = 10_000;

/// A model beside the law of its data, in standardized space.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Mean of `−ln p(x)` over fresh points in nats; none for flow matching.
    pub nll: Option<f64>,
    /// The same by the exact density, on the same points.
    pub exact_nll: f64,
    /// Sliced Wasserstein-2 distance of as many samples to the fresh points.
    pub sliced_w2: f64,
    /// The same between two draws of the data.
    pub sliced_w2_of_data: f64,
    /// The samples, in the data's units.
    pub samples: Array2<f32>,
    /// The fresh points, in the data's units.
    pub points: Array2<f32>,
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
    let second = set.sample(POINTS, &mut rng);
    let noise = noise(POINTS, model.dim(), seed);
    let samples = transport(model, &noise, &data.context, step_count)?;
    let standardized = |points: &Array2<f32>| standardize(model, points);
    let points = standardized(&data.points);
    Ok(Evaluation {
        nll: nll(model, &data.points, &data.context)?,
        exact_nll: exact_nll(set, &data.points) - log_std(model),
        sliced_w2: sliced_w2(standardized(&samples).view(), points.view()),
        sliced_w2_of_data: sliced_w2(standardized(&second.points).view(), points.view()),
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
    let log_density = |x: f32, y: f32| set.log_density([x.into(), y.into()]);
    let sum: f64 = points
        .rows()
        .into_iter()
        .map(|x| log_density(x[0], x[1]))
        .sum();
    -sum / points.nrows() as f64
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
